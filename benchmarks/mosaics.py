"""Large pictures with small faces and known truth: photos of the public data set side by side at their own size."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.datasets.grouping.splits import split_public
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.letterbox import PAD_VALUE
from maskdet.imaging.decode import decode_file

WIDTH, HEIGHT = 1920, 1080


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """One picture, (H, W, 3) uint8 BGR, and the faces in it."""

    pixels: npt.NDArray[np.uint8]
    truth: Truth


def read_part(folder: Path, part: Literal["train", "val"]) -> list[Photo]:
    """Return the photos of one part of the published split, by name."""
    collection, _ = read_voc(folder, ReadOptions(quiet=True))
    parts = split_public(folder, collection.photos)
    return [photo for photo, its_part in zip(collection.photos, parts, strict=True) if its_part == part]


def build_mosaics(photos: Sequence[Photo], *, seed: int = 0, most: int | None = None) -> list[Mosaic]:
    """Lay photos out in rows, in random order, each once, until all are used or ``most`` mosaics are full."""
    order = list(photos)
    random.Random(seed).shuffle(order)
    mosaics: list[Mosaic] = []
    while order and (most is None or len(mosaics) < most):
        mosaics.append(_fill(order))
    return mosaics


def _fill(order: list[Photo]) -> Mosaic:
    """Take photos off the front of ``order`` while they fit, row by row."""
    canvas = np.full((HEIGHT, WIDTH, 3), PAD_VALUE, np.uint8)
    boxes, class_ids = [np.zeros((0, 4))], [np.zeros(0, np.int64)]
    left = top = row = 0
    while order:
        image = decode_file(order[0].picture.path)
        height, width = image.shape[:2]
        if left + width > WIDTH:
            left, top, row = 0, top + row, 0
        if top + height > HEIGHT:
            break
        photo = order.pop(0)
        canvas[top : top + height, left : left + width] = image
        boxes.append(photo.boxes + np.array([left, top, left, top]))
        class_ids.append(photo.class_ids)
        left, row = left + width, max(row, height)
    if len(boxes) == 1:
        raise ValueError(f"{order[0].name} is larger than {WIDTH}×{HEIGHT}")
    return Mosaic(canvas, Truth(np.concatenate(boxes), np.concatenate(class_ids)))


def write_mosaics(mosaics: Sequence[Mosaic], folder: Path) -> list[Path]:
    """Write the pictures as PNG, for a look at them."""
    paths = [folder / f"mosaic-{number:02}.png" for number in range(len(mosaics))]
    for mosaic, path in zip(mosaics, paths, strict=True):
        cv2.imwrite(str(path), mosaic.pixels)
    return paths
