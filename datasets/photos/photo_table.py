"""Many photos in columns: a few hundred bytes each, where an object with its arrays takes thousands."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import KINDS, Picture

_KIND_NAMES: Final = tuple(KINDS)
_OTHER: Final = _KIND_NAMES.index("other")
_KIND_NUMBERS: Final = {kind: number for number, kind in enumerate(_KIND_NAMES)}


@dataclass(frozen=True, slots=True, eq=False)
class PhotoTable(Sequence[Photo]):
    """N photos with B boxes in all; each photo is made when it is asked for.

    Attributes:
        folder: the pictures' folder.
        names: N names, as in ``Photo``.
        files: N picture files, within the folder.
        facts: (N, 6) int32: width and height in pixels, the same as stored, EXIF orientation, index into ``KINDS``.
        ends: (N,) int64, where each photo's boxes end in the two next.
        class_ids: (B,) int64.
        boxes: (B, 4) float64, xyxy in pixels of the upright picture.
        splits: N parts of the data set, None before splitting.
        marks: N pairs of checksum and thumbnail, None where no thumbnails were asked for.
    """

    folder: Path
    names: list[str]
    files: list[str]
    facts: NDArray[np.int32]
    ends: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    splits: Sequence[str | None] | None = None
    marks: list[tuple[str | None, NDArray[np.uint8] | None]] | None = None

    @classmethod
    def of(cls, photos: Sequence[Photo]) -> PhotoTable:
        """Return photos in columns; a table as it is."""
        if isinstance(photos, PhotoTable):
            return photos
        pictures = [photo.picture for photo in photos]
        return cls(
            Path(),
            [photo.name for photo in photos],
            [os.fspath(picture.path) for picture in pictures],
            facts_of(pictures),
            np.cumsum([len(photo.class_ids) for photo in photos], dtype=np.int64),
            np.concatenate([np.empty(0, np.int64), *(photo.class_ids for photo in photos)]),
            np.concatenate([np.empty((0, 4)), *(photo.boxes for photo in photos)]),
            [photo.split for photo in photos],
            [(picture.sha256, picture.thumb) for picture in pictures],
        )

    @property
    def counts(self) -> NDArray[np.int64]:
        """(N,) int64, boxes of each photo."""
        return np.diff(self.ends, prepend=0)

    @property
    def owners(self) -> NDArray[np.int64]:
        """(B,) int64, the photo of each box."""
        return np.repeat(np.arange(len(self)), self.counts)

    def class_counts(self, classes: int) -> NDArray[np.int64]:
        """Return (N, classes) int64: boxes of each class; those of classes from ``classes`` on are left out."""
        known = self.class_ids < classes
        cells = self.owners[known] * classes + self.class_ids[known]
        return np.bincount(cells, minlength=len(self) * classes).reshape(len(self), classes)

    def with_splits(self, splits: Sequence[str | None]) -> PhotoTable:
        """Return the photos with their parts of the data set."""
        return replace(self, splits=splits)

    def take(self, chosen: Sequence[int]) -> PhotoTable:
        """Return some of the photos, by growing index."""
        if len(chosen) == len(self):
            return self
        kept = np.zeros(len(self), dtype=bool)
        kept[chosen] = True
        boxes = kept[self.owners]
        return PhotoTable(
            self.folder,
            [self.names[at] for at in chosen],
            [self.files[at] for at in chosen],
            self.facts[kept],
            np.cumsum(self.counts[kept]),
            self.class_ids[boxes],
            self.boxes[boxes],
            None if self.splits is None else [self.splits[at] for at in chosen],
            None if self.marks is None else [self.marks[at] for at in chosen],
        )

    def chunks(self, size: int) -> Iterator[PhotoTable]:
        """Yield the photos in tables of at most ``size``, without their thumbnails."""
        for start in range(0, len(self), size):
            span = slice(start, start + size)
            ends = self.ends[span]
            before = self.ends[start - 1] if start else 0
            boxes = slice(before, ends[-1])
            splits = None if self.splits is None else self.splits[span]
            yield PhotoTable(
                self.folder, self.names[span], self.files[span], self.facts[span], ends - before,
                self.class_ids[boxes], self.boxes[boxes], splits,
            )  # fmt: skip

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> Photo: ...
    @overload
    def __getitem__(self, at: slice) -> PhotoTable: ...

    def __getitem__(self, at: int | slice) -> Photo | PhotoTable:
        if isinstance(at, slice):
            return self.take(range(len(self))[at])
        at = range(len(self))[at]
        width, height, stored_width, stored_height, orientation, kind = self.facts[at].tolist()
        sha256, thumb = (None, None) if self.marks is None else self.marks[at]
        size, stored = (width, height), (stored_width, stored_height)
        picture = Picture(self.folder / self.files[at], size, stored, orientation, sha256, thumb, _KIND_NAMES[kind])
        span = slice(*self._span(at))
        split = None if self.splits is None else self.splits[at]
        return Photo(self.names[at], picture, self.class_ids[span], self.boxes[span], split)

    def _span(self, at: int) -> tuple[int, int]:
        return (int(self.ends[at - 1]) if at else 0), int(self.ends[at])


class PhotoGatherer:
    """Puts tables of one folder, without splits, one behind another."""

    def __init__(self, folder: Path) -> None:
        """Begin with no photos."""
        self.names: list[str] = []
        self.files: list[str] = []
        self._folder = folder
        # Arrays that grow in place: joining many small ones at the end would need their memory twice.
        self._facts, self._counts, self._class_ids, self._boxes = (array(code) for code in "iqqd")
        self._marks: list[tuple[str | None, NDArray[np.uint8] | None]] = []

    def add(self, names: Sequence[str], photos: PhotoTable) -> None:
        """Add photos under these names."""
        self.names.extend(names)
        self.files.extend(photos.files)
        self._facts.frombytes(photos.facts.tobytes())
        self._counts.frombytes(photos.counts.tobytes())
        self._class_ids.frombytes(photos.class_ids.tobytes())
        self._boxes.frombytes(photos.boxes.tobytes())
        self._marks.extend(photos.marks or ())

    def table(self) -> PhotoTable:
        """Return all of them; after that, no more can be added."""
        return PhotoTable(
            self._folder,
            self.names,
            self.files,
            np.frombuffer(self._facts, np.int32).reshape(-1, 6),
            np.cumsum(np.frombuffer(self._counts, np.int64)),
            np.frombuffer(self._class_ids, np.int64),
            np.frombuffer(self._boxes, np.float64).reshape(-1, 4),
            marks=self._marks or None,
        )


def facts_of(pictures: Sequence[Picture]) -> NDArray[np.int32]:
    """Return (N, 6) int32: the ``facts`` of pictures."""
    rows = [
        (*picture.size, *picture.stored_size, picture.orientation, _KIND_NUMBERS.get(picture.kind, _OTHER))
        for picture in pictures
    ]
    return np.array(rows, dtype=np.int32).reshape(-1, 6)
