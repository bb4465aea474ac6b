from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.classes import CLASS_COLOURS, CLASS_NAMES
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo, faces_from_arrays
from maskdet.results.draw import draw_faces

MODEL = ModelInfo("maskdet-n", 640, 0.25)
FACES = [
    Face("with_mask", 0, 0.943124, (10.0, 12.5, 40.123, 50.0)),
    Face("without_mask", 1, 0.5, (60.0, 12.0, 80.0, 40.0)),
]
RESULT = MaskResult(FACES, ImageInfo("a.jpg", 400, 267), MODEL, 41.234, np.zeros((267, 400, 3), np.uint8))


def test_json_is_the_documented_schema() -> None:
    assert json.loads(RESULT.to_json()) == {
        "schema": "maskdet/1",
        "image": {"path": "a.jpg", "width": 400, "height": 267, "frame": None},
        "model": {"name": "maskdet-n", "imgsz": 640, "conf": 0.25},
        "time_ms": 41.2,
        "detections": [
            {
                "name": "with_mask",
                "class": 0,
                "confidence": 0.94312,
                "box": {"x1": 10.0, "y1": 12.5, "x2": 40.12, "y2": 50.0},
                "track_id": None,
            },
            {
                "name": "without_mask",
                "class": 1,
                "confidence": 0.5,
                "box": {"x1": 60.0, "y1": 12.0, "x2": 80.0, "y2": 40.0},
                "track_id": None,
            },
        ],
        "counts": {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 0},
        "summary": {"faces": 2, "compliant": 1, "compliance": 0.5},
    }
    assert "\n" not in RESULT.to_json()


def test_no_face_has_no_compliance() -> None:
    empty = MaskResult([], ImageInfo(None, 4, 3), MODEL, 1.0)
    assert empty.compliance is None
    assert empty.counts == dict.fromkeys(CLASS_NAMES, 0)
    assert empty.boxes.shape == (0, 4)
    assert list(empty.to_pandas().columns)[:4] == ["path", "frame", "name", "class"]


def test_pandas_has_a_row_a_face() -> None:
    frame = RESULT.to_pandas()
    assert frame["name"].tolist() == ["with_mask", "without_mask"]
    assert frame["x2"].tolist() == [40.12, 80.0]


def test_frames_with_and_without_faces_go_together() -> None:
    pandas = pytest.importorskip("pandas")
    empty = MaskResult([], ImageInfo("clip.mp4", 4, 3, frame=7), MODEL, 1.0)
    tracked = MaskResult([Face("with_mask", 0, 0.5, (0, 0, 1, 1), track_id=3)], ImageInfo(None, 4, 3, 8), MODEL, 1.0)
    kinds = ["object", "Int64", "object", "int64", *["float64"] * 5, "Int64"]
    for results in ([RESULT], [empty], [RESULT, empty], [empty, RESULT, tracked], [empty, empty]):
        frame = pandas.concat([result.to_pandas() for result in results], ignore_index=True)
        assert frame.dtypes.astype(str).tolist() == kinds
    frame = pandas.concat([RESULT.to_pandas(), empty.to_pandas(), tracked.to_pandas()], ignore_index=True)
    assert frame.nlargest(1, "confidence")["name"].tolist() == ["with_mask"]
    assert frame["track_id"].isna().tolist() == [True, True, False]
    assert frame["frame"].dropna().tolist() == [8]


def test_arrays_round_trip() -> None:
    faces = faces_from_arrays(RESULT.boxes, RESULT.confidences, RESULT.class_ids)
    assert [face.name for face in faces] == ["with_mask", "without_mask"]
    np.testing.assert_allclose(faces[0].box, FACES[0].box, rtol=1e-6)


def test_drawing_uses_the_class_colours_and_keeps_the_input() -> None:
    image = np.zeros((267, 400, 3), np.uint8)
    drawn = draw_faces(image, FACES)
    assert image.max() == 0
    # The middle of each box's lower edge, away from labels.
    for face, column in zip(FACES, (25, 70), strict=True):
        np.testing.assert_allclose(drawn[round(face.box[3]), column], CLASS_COLOURS[face.class_id], atol=60)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (20, 20)])
def test_tiny_pictures_can_be_drawn_on(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    box = (0.0, 0.0, float(size[1]), float(size[0]))
    assert draw_faces(image, [Face("with_mask", 0, 0.5, box)]).shape == image.shape


def test_save_writes_the_plot(tmp_path: Path) -> None:
    target = RESULT.save(tmp_path / "deep" / "out.png")
    np.testing.assert_array_equal(cv2.imread(str(target)), RESULT.plot())
    assert [child.name for child in target.parent.iterdir()] == ["out.png"]


def test_without_pixels_there_is_no_plot() -> None:
    with pytest.raises(ValueError, match="does not hold its picture"):
        RESULT.without_pixels().plot()
