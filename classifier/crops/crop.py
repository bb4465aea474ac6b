"""Cutting every annotated face out of a data set, one photo at a time: which pixels make up its crop, and the crops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.crops.window import MAX_MARGIN, crop_windows, cut
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import read_pixels
from maskdet.errors import SourceError

#: Larger crops hold nothing that the photo does not.
MAX_SIDE: Final = 4096


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
