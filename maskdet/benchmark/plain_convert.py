"""The converter that anybody would write: one file after another, no checks. What ``maskdet convert`` is held against.

It does what the result needs and no more: parses the XML, takes the size from the picture's header, cuts boxes off at
the edge, writes the labels, links the picture, and divides by chance::

    python -m maskdet.benchmark.plain_convert VOC OUT
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import xml.etree.ElementTree as ET  # only files that the benchmark wrote itself come here
from pathlib import Path

from maskdet.imaging.header import read_picture_header

HEADER_BYTES = 65536
CLASSES = ["with_mask", "without_mask", "mask_weared_incorrect"]


def convert(voc: Path, out: Path, val_share: float = 0.2) -> None:
    """Turn ``annotations/`` and ``images/`` of ``voc`` into a YOLO data set ``out``."""
    names = sorted(path.name for path in (voc / "annotations").iterdir())
    random.Random(0).shuffle(names)
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            (out / kind / split).mkdir(parents=True)
    for number, name in enumerate(names):
        split = "val" if number < val_share * len(names) else "train"
        root = ET.parse(voc / "annotations" / name).getroot()
        picture = voc / "images" / str(root.findtext("filename"))
        with picture.open("rb") as file:
            header = read_picture_header(file.read(HEADER_BYTES))
        assert header is not None, "the benchmark wrote it"
        width, height = header.size
        lines = []
        for item in root.iter("object"):
            x1, y1, x2, y2 = (float(str(item.findtext(f"bndbox/{key}"))) for key in ("xmin", "ymin", "xmax", "ymax"))
            x1, x2 = max(x1, 0), min(x2, width)
            y1, y2 = max(y1, 0), min(y2, height)
            centre = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height
            side = (x2 - x1) / width, (y2 - y1) / height
            row = " ".join(f"{value:.6f}" for value in (*centre, *side))
            lines.append(f"{CLASSES.index(str(item.findtext('name')))} {row}\n")
        (out / "labels" / split / f"{picture.stem}.txt").write_text("".join(lines))
        target = out / "images" / split / picture.name
        try:
            os.link(picture, target)
        except OSError:
            shutil.copyfile(picture, target)
    yaml = "train: images/train\nval: images/val\nnames:\n"
    yaml += "".join(f"  {index}: {name}\n" for index, name in enumerate(CLASSES))
    (out / "data.yaml").write_text(yaml)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
