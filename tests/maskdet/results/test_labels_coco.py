from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.results import Face, MaskResult
from maskdet.results.labels import categories


def test_annotations_by_hand(two_faces: MaskResult) -> None:
    assert two_faces.to_coco(image_id=7, first_id=3) == [
        {
            "id": 3,
            "image_id": 7,
            "category_id": 1,
            "bbox": [10.0, 20.0, 40.0, 80.0],
            "area": 3200.0,
            "iscrowd": 0,
            "score": 0.75,
        },
        {
            "id": 4,
            "image_id": 7,
            "category_id": 3,
            "bbox": [300.25, 150.5, 99.75, 49.5],
            "area": 4937.625,
            "iscrowd": 0,
            "score": 0.5,
        },
    ]
    assert [entry["id"] for entry in categories()] == [1, 2, 3]


def test_a_track_is_kept(two_faces: MaskResult) -> None:
    two_faces.faces[0] = Face("with_mask", 0, 0.75, (10.0, 20.0, 50.0, 100.0), track_id=4)
    assert [entry.get("track_id") for entry in two_faces.to_coco(1)] == [4, None]


def test_no_face(no_face: MaskResult) -> None:
    assert no_face.to_coco(1) == []


def test_pycocotools_finds_each_face_in_itself(
    two_faces: MaskResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list is truth and results at once: measured against itself, every AP is 1."""
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    truth = {"images": [{"id": 1}], "categories": categories(), "annotations": two_faces.to_coco(1)}
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(truth))
    data = coco.COCO(str(path))
    judge = evaluation.COCOeval(data, data.loadRes(two_faces.to_coco(1)), "bbox")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    capsys.readouterr()
    assert judge.stats[0] == pytest.approx(1.0)


@given(data=st.data())
def test_boxes_are_those_of_the_json(any_result: st.SearchStrategy[MaskResult], data: st.DataObject) -> None:
    result = data.draw(any_result)
    for entry, face in zip(result.to_coco(1), result.to_dict()["detections"], strict=True):
        x, y, width, height = entry["bbox"]
        box = face["box"]
        np.testing.assert_allclose([x, y, x + width, y + height], [box["x1"], box["y1"], box["x2"], box["y2"]])
        assert entry["category_id"] == face["class"] + 1
        assert entry["area"] == pytest.approx(width * height, abs=1e-4)
