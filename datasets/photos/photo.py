"""The parts every other module works on: a photo with its boxes, a mend, and a whole data set read into memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.photos.picture_file import Picture

#: swapped   corners in the wrong order        clipped   over the picture's edge
#: empty     no area left: box dropped         repeated  the same box twice: one dropped
#: size      <size> missing or wrong           renamed   another spelling of a class
#: unknown   a class left out on request       turned    box turned with the picture's EXIF orientation
#: conflict  one box, two classes: both kept   scaled    box drawn on a copy of another size
#: polygon   box put around a polygon          tiny      less than a pixel wide or high: kept
#: boxless   object without a box: left out    astray    box outside of any object: left out
#: difficult left out on request               encoding  bytes that are no text in the file's encoding
#: picture   not as training takes it: written anew, or under another ending
#: unlisted  a list's line that names no photo
MendKind = Literal[
    "swapped", "clipped", "empty", "repeated", "size", "renamed", "unknown", "turned", "conflict", "scaled",
    "polygon", "tiny", "boxless", "astray", "difficult", "encoding", "picture", "unlisted",
]  # fmt: skip

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class Mend:
    """One thing that was put right, left out or noticed.

    Attributes:
        file: the annotation file's name.
        kind: what was wrong.
        detail: the same in words, for people.
        line: the line of the object in its file, None for the file as a whole.
        before: the box as written (xyxy in pixels), None where the mend is not about a box.
        after: the box as kept, None where it was dropped.
    """

    file: str
    kind: MendKind
    detail: str
    line: int | None = None
    before: tuple[float, float, float, float] | None = None
    after: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A photo that could not be used, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One picture and its faces.

    Attributes:
        name: the annotation file's name with its suffix; the picture's name where a data set has no such file.
        picture: the picture file.
        class_ids: (N,) int64.
        boxes: (N, 4) float64, xyxy in pixels of the upright picture, inside it.
        split: the part of the data set it is in, None before splitting.
    """

    name: str
    picture: Picture
    class_ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    split: str | None = None


@dataclass(slots=True)
class Collection:
    """A data set as read.

    Attributes:
        layout: ``kaggle``, ``voc``, ``flat`` or ``yolo``.
        photos: in the order of their names.
        mends: what was put right, in the photos' order.
        left_out: photos that could not be used.
        unannotated: names of pictures without an annotation.
        found_by_stem: how many pictures ``<filename>`` did not name.
        difficult: boxes marked as difficult, left out or not.
        unknown: boxes of each unknown class, of photos left out for them.
    """

    layout: str
    photos: Sequence[Photo] = ()
    mends: list[Mend] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    unannotated: list[str] = field(default_factory=list)
    found_by_stem: int = 0
    difficult: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
