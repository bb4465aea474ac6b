"""Cutting every annotated face out of a data set, one photo at a time: which pixels make up its crop, and the crops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.manifest import CropRecord
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import read_pixels
from maskdet.errors import SourceError

#: A margin works in fractions of a side, and 0.1 · 30 is 3.0000000000000004: less than this is not another pixel.
_DIGITS = 6


def crop_windows(
    boxes: NDArray[np.float64], size: tuple[int, int], *, margin: float = 0.0, square: bool = False
) -> NDArray[np.int64]:
    """Return the window of whole pixels that each of (N, 4) xyxy boxes with an area inside the picture is cut with.

    A plain window covers every pixel that its box touches and ends at the picture's edge. A square one has the box's
    centre and its longer side, and may reach over the edge, so that the face stays centred and undistorted. ``margin``
    is added on every side, as a fraction of the box's side (of its longer side where square). ``size`` is width,
    height.

    Returns:
        (N, 4) int64 xyxy in pixels, x2 and y2 exclusive; at least 1×1, and at least one pixel inside the picture.

    >>> box = np.array([[10.0, 20.0, 30.0, 60.0]])
    >>> crop_windows(box, (100, 65)).tolist()
    [[10, 20, 30, 60]]
    >>> crop_windows(box, (100, 65), margin=0.25).tolist()
    [[5, 10, 35, 65]]
    >>> crop_windows(box, (100, 65), margin=0.25, square=True).tolist()
    [[-10, 10, 50, 70]]
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    edge = np.array(size, dtype=np.int64)
    if square:
        longer = (high - low).max(axis=1, keepdims=True) * (1 + 2 * margin)
        side = np.maximum(np.ceil(np.round(longer, _DIGITS)), 1).astype(np.int64)
        start = np.floor(np.round((low + high - side + 1) / 2, _DIGITS)).astype(np.int64)
        start = np.clip(start, 1 - side, edge - 1)
        return np.concatenate([start, start + side], axis=1)
    reach = (high - low) * margin
    first = np.floor(np.round(low - reach, _DIGITS)).astype(np.int64)
    last = np.ceil(np.round(high + reach, _DIGITS)).astype(np.int64)
    first = np.clip(first, 0, edge - 1)
    last = np.clip(last, first + 1, edge)
    return np.concatenate([first, last], axis=1)


def cut(image: NDArray[np.uint8], window: NDArray[np.int64], side: int | None = None) -> NDArray[np.uint8]:
    """Cut a window, (4,) xyxy as ``crop_windows`` gives it, out of (H, W, 3) uint8 BGR; resize it to ``side``.

    What lies outside repeats the picture's edge. The crop has its own memory.

    >>> image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    >>> cut(image, np.array([1, 0, 3, 4])).shape, cut(image, np.array([-2, -1, 4, 5]), 8).shape
    ((4, 2, 3), (8, 8, 3))
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = window.tolist()
    left, top, right, bottom = max(-x1, 0), max(-y1, 0), max(x2 - width, 0), max(y2 - height, 0)
    inner = image[y1 + top : y2 - bottom, x1 + left : x2 - right]
    if left or top or right or bottom:
        inner = cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_REPLICATE).astype(np.uint8)
    if side is None or inner.shape[:2] == (side, side):
        return inner.copy()
    return _resize(inner, (side, side))


def fit_whole(image: NDArray[np.uint8], side: int, *, square: bool = False) -> NDArray[np.uint8]:
    """Bring a picture that already is a crop, (h, w, 3) uint8 BGR from 1×1, to a network's input of ``side`` pixels.

    The same pixels as ``cut`` gives of a window that is the whole picture where that is square or may be stretched. To
    a square, proportions are kept, the picture in the middle and its edge repeated beside it.

    >>> wide = np.array([[[1, 1, 1], [9, 9, 9]]], dtype=np.uint8)
    >>> fit_whole(wide, 4, square=True)[:, :, 0].tolist() == fit_whole(wide, 4)[:, :, 0].tolist()
    True
    """
    height, width = image.shape[:2]
    if square:
        # Shrunk before the edge is repeated: a picture of 1×100,000 must not become 100,000 × 100,000.
        scale = side / max(height, width)
        height, width = max(round(height * scale), 1), max(round(width * scale), 1)
    else:
        height = width = side
    fitted = image.copy() if image.shape[:2] == (height, width) else _resize(image, (width, height))
    top, left = (side - height) // 2, (side - width) // 2
    if (height, width) == (side, side):
        return fitted
    bordered: NDArray[np.uint8] = cv2.copyMakeBorder(
        fitted, top, side - height - top, left, side - width - left, cv2.BORDER_REPLICATE
    )
    return bordered


def _resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    # Averaging over areas keeps shrunk faces free of moiré; it has nothing to average where they grow.
    shrinks = image.shape[1] >= size[0] and image.shape[0] >= size[1]
    resized: NDArray[np.uint8] = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized


#: Wider margins leave a face a few pixels in its crop, and larger crops hold nothing that the photo does not.
MAX_MARGIN, MAX_SIDE = 5.0, 4096


@dataclass(frozen=True, slots=True)
class CropOptions:
    """How to cut; the defaults are the study's way.

    Attributes:
        margin: added on every side, as a fraction of the box's side, 0 to 5.
        square: cut the square around the box's centre, so that nothing is distorted when it is resized.
        side: width and height of each crop in pixels, 1 to 4096; None leaves it as large as in the photo.
    """

    margin: float = 0.0
    square: bool = False
    side: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one is out of its range.
        """
        if not (math.isfinite(self.margin) and 0 <= self.margin <= MAX_MARGIN):
            raise ValueError(f"margin must be between 0 and {MAX_MARGIN:g} of the box's side, not {self.margin}")
        if self.side is not None and not 1 <= self.side <= MAX_SIDE:
            raise ValueError(f"the crops' side must be between 1 and {MAX_SIDE} pixels, not {self.side}")


#: The plain box, no margin, each crop as large as its box.
STUDY_CROPS: Final = CropOptions()


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One face: where it comes from and what it shows, and (h, w, 3) uint8 BGR, at least 1×1."""

    record: CropRecord
    pixels: NDArray[np.uint8]


def iter_crops(photos: Sequence[Photo], groups: Sequence[str], options: CropOptions = STUDY_CROPS) -> Iterator[Crop]:
    """Yield every face's crop, in the order of the photos and of the boxes in each; ``groups`` has each photo's.

    Each photo is decoded once, and only one is held in memory at a time; a photo without faces is not decoded.

    Raises:
        SourceError: a photo cannot be decoded, or has changed since it was read.
    """
    for photo, group in zip(photos, groups, strict=True):
        if not len(photo.boxes):
            continue
        image = read_pixels(photo.picture.path)
        size = (image.shape[1], image.shape[0])
        if size != photo.picture.size:
            was, now = (f"{width}×{height}" for width, height in (photo.picture.size, size))
            raise SourceError(photo.picture.path, f"has changed while it was read: {was} before, {now} px now")
        windows = crop_windows(photo.boxes, size, margin=options.margin, square=options.square)
        for record, window in zip(crop_records(photo, group), windows, strict=True):
            yield Crop(record, cut(image, window, options.side))


def crop_records(photo: Photo, group: str) -> list[CropRecord]:
    """Return what the manifest says of each face of a photo, without looking at its pixels."""
    path = photo.picture.path
    # Cameras and films of one data set may all begin with frame_0.
    folder = photo.name[: photo.name.rfind("/") + 1]
    records = []
    for face, (class_id, box) in enumerate(zip(photo.class_ids.tolist(), photo.boxes.tolist(), strict=True)):
        x1, y1, x2, y2 = box
        # The reader keeps stems unique, and the number is what follows the last underscore: no two names are alike.
        name = f"{CLASS_NAMES[class_id]}/{folder}{path.stem}_{face}.png"
        records.append(CropRecord(name, folder + path.name, face, (x1, y1, x2, y2), class_id, group))
    return records
