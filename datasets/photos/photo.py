"""Class names resolved, a photo with its boxes, a mend, a whole data set: what every other module works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES, meaning
from maskdet.datasets.photos.picture_file import Picture
from maskdet.errors import DatasetError

_IDS: dict[str, int] = {name: index for index, name in enumerate(CLASS_NAMES)}


class ClassMap:
    """Resolves class names: the user's mapping first, then what ``maskdet.classes.meaning`` knows.

    >>> ClassMap().resolve("Mask_Worn_Incorrect")
    2
    >>> ClassMap({"respirator": "with_mask"}).resolve("respirator")
    0
    >>> ClassMap().resolve("helmet") is None
    True
    """

    def __init__(self, extra: Mapping[str, str] = MappingProxyType({})) -> None:
        """Take the user's ``old name -> new name`` pairs.

        Raises:
            DatasetError: a new name is none of the three classes.
        """
        for old, new in extra.items():
            if new not in _IDS:
                raise DatasetError(f"--map {old}={new}", f"{new!r} is no class; choose from {', '.join(CLASS_NAMES)}")
        self._extra = {old: _IDS[new] for old, new in extra.items()}

    def resolve(self, name: str) -> int | None:
        """Return the class id of a name, None where nothing is known of it."""
        if name in self._extra:
            return self._extra[name]
        known = meaning(name)
        return None if known is None else _IDS[known]


def describe_classes(names: Sequence[str]) -> str:
    """Say in a line what becomes of a data set's classes: they are matched by name.

    >>> describe_classes(["no_mask", "with_mask"])
    'classes: no_mask (without_mask), with_mask'
    >>> describe_classes(["helmet"])
    'classes: helmet; none of with_mask, without_mask, mask_weared_incorrect, so there is no compliance to count'
    """
    ids = [ClassMap().resolve(name) for name in names]
    shown = [
        name if index is None or name == CLASS_NAMES[index] else f"{name} ({CLASS_NAMES[index]})"
        for name, index in zip(names, ids, strict=True)
    ]
    many = 10
    listed = ", ".join(shown[:many]) + (f" and {len(shown) - many} more" if len(shown) > many else "")
    none = f"; none of {', '.join(CLASS_NAMES)}, so there is no compliance to count"
    return f"classes: {listed}" + (none if set(ids) == {None} else "")


MendKind = Literal[
    "swapped", "clipped", "empty", "repeated", "size", "renamed", "unknown", "turned", "conflict", "scaled",
    "polygon", "tiny", "boxless", "astray", "difficult", "encoding", "picture", "unlisted",
]  # fmt: skip

#: What each kind of mend is, for people.
MEND_MEANINGS: Final[dict[str, str]] = {
    "swapped": "boxes with swapped corners",
    "clipped": "boxes clipped at the edge",
    "empty": "boxes without area, dropped",
    "repeated": "repeated boxes, dropped",
    "size": "missing or wrong picture sizes",
    "renamed": "class names in another spelling",
    "unknown": "boxes of unknown classes, left out",
    "turned": "photos turned by EXIF",
    "conflict": "boxes with two classes, kept",
    "scaled": "boxes scaled to the picture's size",
    "polygon": "polygons and turned boxes, kept as the boxes around them",
    "tiny": "boxes below one pixel, kept",
    "boxless": "objects without a box, left out",
    "astray": "boxes outside of any object, left out",
    "difficult": "boxes marked difficult, left out",
    "encoding": "files with unreadable characters",
    "picture": "pictures that training does not take as they are",
    "unlisted": "list lines that name no photo",
}

Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class Mend:
    """One thing that was put right, left out or noticed in an annotation file, at its object's line, if any.

    ``before`` is the box as written, xyxy in pixels, None where the mend is not about one; ``after`` None where it was
    dropped.
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
    """One picture and its (N,) faces, boxes in xyxy pixels of the upright picture, inside it.

    ``name`` is the annotation file's with its suffix, or the picture's where a data set has no such file.
    """

    name: str
    picture: Picture
    class_ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    split: str | None = None


@dataclass(slots=True)
class Collection:
    """A data set as read: photos in the order of their names, and what was put right, in the same order.

    Attributes:
        layout: ``kaggle``, ``voc``, ``flat`` or ``yolo``.
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
