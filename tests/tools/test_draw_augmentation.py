from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from maskdet.classes import CLASS_COLOURS

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_tile_is_the_photo_at_one_height_with_its_boxes_under_a_title(tool: ModuleType) -> None:
    photo = np.full((300, 200, 3), 100, np.uint8)
    drawn = tool.tile(photo, np.array([[40, 60, 160, 240]], np.float32), [2], "rare")
    # Half the size: 150 px high, 100 wide; 24 px of title above.
    assert drawn.shape == (24 + 150, 100, 3)
    assert drawn[:24].min() == 0
    assert (drawn[0] == 255).all()
    # The box is at 20, 30, 80, 120 now; far from it the photo is as it was.
    for y, x in ((75, 20), (120, 50)):
        assert drawn[24 + y, x].tolist() == pytest.approx(CLASS_COLOURS[2], abs=30)  # the line's edges are smoothed
    assert tuple(drawn[24 + 75, 50]) == (100, 100, 100)
    assert tuple(drawn[-1, -1]) == (100, 100, 100)


def test_the_sheet_of_the_docs(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "docs/images").mkdir(parents=True)
    shutil.copyfile(ROOT / "examples/crew.jpg", tmp_path / "examples/crew.jpg")
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    tool.main()
    assert capsys.readouterr().out == "docs/images/augmentation.jpg\n"
    sheet = cv2.imread(str(tmp_path / "docs/images/augmentation.jpg"))
    # Two rows, each of a title of 24 px, a picture of 150 and an edge of 6.
    assert sheet.shape[0] == 2 * (24 + 150 + 6)
