"""Dividing photos into K folds that are alike in what figures depend on, the public data's selfie series beside them.

The series, 184 photos of two men in one house, is one group with a fifth of the photos, large faces only and none of
the rare class: whichever fold it fell into would measure something else than the others. It is a part of its own, the
test part of a network that is trained on all folds, and in the training part of every fold's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.grouping.groups import series_members
from maskdet.datasets.grouping.splits import group_sums, place_groups
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.photo_table import PhotoTable

#: The part beside fold1 … foldK.
SERIES: Final = "series"

#: Sides of faces in pixels, √(width · height), between the ranges that figures are given for; a limit is the upper's;
#: and the ranges in words.
SIDES: Final = (16, 32)
RANGES: Final = ("<16", "16–32", "≥32")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldCount:
    """What one fold holds: ``faces`` by class, ``sizes`` by range of ``SIDES``."""

    fold: str
    groups: int
    photos: int
    faces: tuple[int, ...]
    sizes: tuple[int, ...]


def split_folds(
    root: Path, photos: Sequence[Photo], groups: Sequence[int], shares: Sequence[float], seed: int, *, series: bool
) -> list[int]:
    """Return a part number for each of N photos so that groups, numbered from 0, stay whole.

    Every part gets its share, all summing to 1, of groups, photos, and faces of each class in each range of sizes; see
    ``place_groups``. With ``series`` the selfie series, where it is there, is a part after the last: ``len(shares)``.

    Raises:
        DatasetError: fewer groups than parts.
    """
    apart = {groups[at] for at in series_members(photos)} if series else set()
    placed = [at for at, group in enumerate(groups) if group not in apart]
    table = PhotoTable.of(photos).take(placed)
    numbers: dict[int, int] = {}
    inner = [numbers.setdefault(groups[at], len(numbers)) for at in placed]
    members = np.bincount(np.array(inner, dtype=np.int64))
    contents = group_sums(inner, [1 / members[inner], np.ones(len(inner)), *_face_cells(table)])
    parts = [len(shares)] * len(groups)
    for at, part in zip(placed, place_groups(root, contents, inner, shares, seed), strict=True):
        parts[at] = part
    return parts


def count_folds(photos: Sequence[Photo], groups: Sequence[int], folds: Sequence[str | None]) -> tuple[FoldCount, ...]:
    """Count what lies in each fold, in the order of their names with numbers by size; N groups and N folds."""
    table = PhotoTable.of(photos)
    cells = _face_cells(table).reshape(len(CLASS_NAMES), -1, len(table))
    names = sorted({fold for fold in folds if fold is not None}, key=lambda name: (len(name), name))
    counts = []
    for name in names:
        mine = np.array([fold == name for fold in folds])
        held = cells[:, :, mine].sum(axis=2)
        counts.append(
            FoldCount(
                fold=name,
                groups=len({group for group, inside in zip(groups, mine, strict=True) if inside}),
                photos=int(mine.sum()),
                faces=tuple(held.sum(axis=1).tolist()),
                sizes=tuple(held.sum(axis=0).tolist()),
            )
        )
    return tuple(counts)


def _face_cells(photos: PhotoTable) -> NDArray[np.int64]:
    """Return (classes · ranges, N) int64: each photo's faces of each class in each range of ``SIDES``."""
    area = (photos.boxes[:, 2] - photos.boxes[:, 0]) * (photos.boxes[:, 3] - photos.boxes[:, 1])
    ranges = len(SIDES) + 1
    width = len(CLASS_NAMES) * ranges
    cells = photos.owners * width + photos.class_ids * ranges + np.digitize(area, np.square(SIDES))
    return np.bincount(cells, minlength=len(photos) * width).reshape(len(photos), width).T
