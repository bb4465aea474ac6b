from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.datasets.yolo.labels import read_labels
from maskdet.results import MaskResult
from maskdet.results.labels import from_yolo


def test_lines_by_hand(two_faces: MaskResult) -> None:
    # 400×200 px: centre (30, 60) is 0.075, 0.3; sides 40×80 are 0.1, 0.4.
    assert two_faces.to_yolo() == (
        "0 0.075000 0.300000 0.100000 0.400000\n"  # x 10–50, y 20–100
        "2 0.875313 0.876250 0.249375 0.247500\n"  # x 300.25–400, y 150.5–200
    )
    assert two_faces.to_yolo(confidence=True).splitlines()[0] == "0 0.075000 0.300000 0.100000 0.400000 0.750000"


def test_no_face_is_an_empty_file(no_face: MaskResult) -> None:
    assert no_face.to_yolo() == no_face.to_yolo(confidence=True) == ""


@pytest.mark.parametrize("confidence", [False, True])
def test_the_numbers_are_those_of_ultralytics(two_faces: MaskResult, tmp_path: Path, confidence: bool) -> None:
    engine = pytest.importorskip("ultralytics.engine.results")
    rows = [[*face.box, face.confidence, face.class_id] for face in two_faces.faces]
    theirs = engine.Results(
        np.zeros((200, 400, 3), np.uint8), "a.jpg", {0: "a", 1: "b", 2: "c"}, boxes=np.array(rows, dtype=np.float32)
    )
    theirs.save_txt(tmp_path / "a.txt", save_conf=confidence)
    expected = np.loadtxt(tmp_path / "a.txt")
    np.testing.assert_allclose(np.loadtxt(two_faces.to_yolo(confidence=confidence).splitlines()), expected, atol=1e-6)


@given(data=st.data())
def test_our_reader_gives_the_boxes_back(
    any_result: st.SearchStrategy[MaskResult], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    result = data.draw(any_result)
    path = tmp_path_factory.getbasetemp() / "a.txt"
    path.write_text(result.to_yolo())
    labels = read_labels(path)
    assert labels.class_ids.tolist() == result.class_ids.tolist()
    size = (result.image.width, result.image.height)
    # Each edge is a centre and half a side, each rounded to half a millionth of the picture.
    assert np.abs(from_yolo(labels.rows, size) - result.boxes).max(initial=0) <= 1e-6 * max(size) + 1e-3
