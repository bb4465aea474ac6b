"""Small generated data sets; real photos come from the folder in MASKDET_DATA and are never copied here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Box = tuple[str, float, float, float, float]
MakeVoc = Callable[..., Path]


def noise_picture(seed: int, size: tuple[int, int] = (96, 64)) -> NDArray[np.uint8]:
    """Blurred noise with strong structure: no two seeds look alike, and there are corners to match."""
    width, height = size
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(2, height // 8), max(2, width // 8), 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())


def voc_xml(boxes: Sequence[Box], *, filename: str | None = "x.jpg", size: tuple[int, int] | None = (96, 64)) -> str:
    parts = ["<annotation>"]
    if filename is not None:
        parts.append(f"  <filename>{escape(filename)}</filename>")
    if size is not None:
        parts.append(f"  <size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>")
    for name, x1, y1, x2, y2 in boxes:
        parts.append("  <object>")
        parts.append(f"    <name>{escape(name)}</name>")
        corners = f"<xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        parts.append(f"    <bndbox>{corners}</bndbox>")
        parts.append("  </object>")
    return "\n".join([*parts, "</annotation>"])


@pytest.fixture
def make_voc(tmp_path: Path) -> MakeVoc:
    """Return a maker of VOC data sets: ``make_voc({"a": [boxes]}, layout="kaggle")`` gives the root folder."""

    def make(
        photos: dict[str, Sequence[Box]], *, layout: str = "kaggle", suffix: str = ".jpg", name: str = "voc set"
    ) -> Path:
        root = tmp_path / name
        folders = {"kaggle": ("annotations", "images"), "voc": ("Annotations", "JPEGImages"), "flat": ("", "")}
        annotations, images = (root / folder for folder in folders[layout])
        annotations.mkdir(parents=True, exist_ok=True)
        for number, (stem, boxes) in enumerate(photos.items()):
            write_picture(images / f"{stem}{suffix}", noise_picture(number))
            xml = voc_xml(boxes, filename=f"{stem}{suffix}")
            (annotations / f"{stem}.xml").write_text(xml, encoding="utf-8")
        return root

    return make


@pytest.fixture
def ten_photos(make_voc: MakeVoc) -> Path:
    """Ten photos with two boxes each, the rare class in four of them."""
    rare = {1, 4, 6, 9}
    return make_voc(
        {
            f"p{number}": [
                ("with_mask", 5, 6, 30, 40),
                ("mask_weared_incorrect" if number in rare else "without_mask", 40, 10, 70, 50),
            ]
            for number in range(10)
        }
    )
