"""Labels that nobody drew, added to a converted folder's training part."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from maskdet.imaging.encode import write_picture

ROWS = "photo,class,xmin,ymin,xmax,ymax\na.png,without_mask,10,20,30,60\nheld.png,with_mask,1,2,3,4\n"


def converted(folder: Path) -> Path:
    """Write a converted folder of one training photo, 100 by 200, with one label, and one photo held out."""
    for split, stem in (("train", "a"), ("val", "held")):
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        write_picture(folder / "images" / split / f"{stem}.png", np.zeros((200, 100, 3), np.uint8))
        (folder / "labels" / split / f"{stem}.txt").write_text("0 0.5 0.5 0.1 0.1\n", encoding="utf-8")
    return folder


def test_the_missing_face_of_a_training_photo_is_added_once_and_none_of_a_photo_held_out(
    tool: ModuleType, tmp_path: Path
) -> None:
    folder, missing = converted(tmp_path / "public"), tmp_path / "missing.csv"
    missing.write_text(ROWS, encoding="utf-8")

    assert tool.complete(folder, missing) == 1
    assert tool.complete(folder, missing) == 0

    added = (folder / "labels" / "train" / "a.txt").read_text(encoding="utf-8").splitlines()
    assert added == ["0 0.5 0.5 0.1 0.1", "1 0.200000 0.200000 0.200000 0.200000"]
    assert (folder / "labels" / "val" / "held.txt").read_text(encoding="utf-8") == "0 0.5 0.5 0.1 0.1\n"


def test_a_linked_label_file_is_replaced_not_written_through(tool: ModuleType, tmp_path: Path) -> None:
    folder, missing = converted(tmp_path / "public"), tmp_path / "missing.csv"
    missing.write_text(ROWS, encoding="utf-8")
    labels, original = folder / "labels" / "train" / "a.txt", tmp_path / "original.txt"
    labels.rename(original)
    labels.symlink_to(original)

    tool.complete(folder, missing)

    assert original.read_text(encoding="utf-8") == "0 0.5 0.5 0.1 0.1\n"
    assert len(labels.read_text(encoding="utf-8").splitlines()) == 2
