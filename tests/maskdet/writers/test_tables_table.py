from __future__ import annotations

import re

import pytest

from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo
from maskdet.writers.tables import print_results

MODEL = ModelInfo("maskdet-n", 640, 0.25)
BOX = (1.0, 2.0, 3.0, 4.0)
MASK, BARE = Face("with_mask", 0, 0.9, BOX), Face("without_mask", 1, 0.8, BOX)


def result(path: str, *faces: Face) -> MaskResult:
    return MaskResult(list(faces), ImageInfo(path, 9, 9), MODEL, 2.0)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split("[│┃]", line)[1:-1]]


def test_many_pictures_have_a_row_each_and_a_foot(capsys: pytest.CaptureFixture[str]) -> None:
    print_results([result("a[1].jpg", MASK, MASK, BARE), result("b.jpg"), result("c.jpg", BARE)])
    lines = capsys.readouterr().out.splitlines()
    rows = [cells(line) for line in lines if "│" in line]
    assert rows == [
        ["a[1].jpg", "2", "1", "·", "3", "67%", "2"],
        ["b.jpg", "·", "·", "·", "·", "–", "2"],
        ["c.jpg", "·", "1", "·", "1", "0%", "2"],
        ["3 pictures", "2", "2", "0", "4", "50%", "6"],
    ]
    assert lines[-1] == (
        "4 faces in 3 pictures, 50% wear a mask properly: 2 with_mask, 2 without_mask, 0 mask_weared_incorrect"
    )


def test_one_picture_has_a_row_a_face_and_the_same_foot(capsys: pytest.CaptureFixture[str]) -> None:
    print_results([result("a[red].jpg", MASK, BARE)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a[red].jpg")
    assert [cells(line)[1] for line in lines if "│" in line] == ["with_mask", "without_mask"]
    assert lines[-1] == "2 faces, 50% wear a mask properly: 1 with_mask, 1 without_mask, 0 mask_weared_incorrect"


def test_no_face_has_no_share(capsys: pytest.CaptureFixture[str]) -> None:
    print_results([result("a.jpg"), result("b.jpg")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "0 faces in 2 pictures"
    assert cells(lines[-3])[-2] == "–"
