from __future__ import annotations

import sys

import numpy as np
import pytest

from maskdet.errors import MissingExtraError
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo


def test_fields(two_faces: MaskResult) -> None:
    pytest.importorskip("supervision")
    found = two_faces.to_supervision()
    np.testing.assert_array_equal(found.xyxy, [[10, 20, 50, 100], [300.25, 150.5, 400, 200]])
    np.testing.assert_array_equal(found.confidence, [0.75, 0.5])
    np.testing.assert_array_equal(found.class_id, [0, 2])
    assert found.tracker_id is None
    assert found["class_name"].tolist() == ["with_mask", "mask_weared_incorrect"]
    # Its own operations accept the object: filter, areas, and NMS, which keeps two boxes that do not touch.
    assert found[found.confidence > 0.6].xyxy.tolist() == [[10, 20, 50, 100]]
    assert found.area.tolist() == [40 * 80, 99.75 * 49.5]
    assert len(found.with_nms(0.5)) == 2


def test_without_a_face_it_merges_with_others(two_faces: MaskResult, no_face: MaskResult) -> None:
    sv = pytest.importorskip("supervision")
    empty = no_face.to_supervision()
    assert len(empty) == 0
    assert empty.is_empty()
    assert len(sv.Detections.merge([empty, two_faces.to_supervision()])) == 2


def test_tracks() -> None:
    pytest.importorskip("supervision")
    box = (1.0, 2.0, 3.0, 4.0)
    faces = [Face("with_mask", 0, 0.9, box, track_id=7), Face("with_mask", 0, 0.8, box)]
    found = MaskResult(faces, ImageInfo(None, 10, 10), ModelInfo("m", 64, 0.25), 1.0).to_supervision()
    assert found.tracker_id.tolist() == [7, -1]


def test_it_equals_what_supervision_makes_of_ultralytics(two_faces: MaskResult) -> None:
    sv = pytest.importorskip("supervision")
    engine = pytest.importorskip("ultralytics.engine.results")
    rows = [[*face.box, face.confidence, face.class_id] for face in two_faces.faces]
    names = {0: "with_mask", 1: "without_mask", 2: "mask_weared_incorrect"}
    theirs = engine.Results(np.zeros((200, 400, 3), np.uint8), "a.jpg", names, boxes=np.array(rows, dtype=np.float32))
    expected, found = sv.Detections.from_ultralytics(theirs), two_faces.to_supervision()
    for field in ("xyxy", "confidence", "class_id"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field))
    assert found["class_name"].tolist() == expected["class_name"].tolist()


def test_without_supervision_the_extra_is_named(two_faces: MaskResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'maskdet\[supervision\]'"):
        two_faces.to_supervision()
