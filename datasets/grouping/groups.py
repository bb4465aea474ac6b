"""Which photos must stay on one side of a split."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.errors import DatasetError

#: The public data set's own file names, and the size that only its selfie series has: 184 photos of a few people.
_SERIES_NAME = re.compile(r"maksssksksss\d+")
_SERIES_SIZE = (301, 400)
#: Stands between a photo's name and what tells its copies apart in a Roboflow export.
_COPY_MARK = ".rf."


def merge_groups(count: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Give each of ``count`` things the number of the group that pairwise links put it in, numbered by first members.

    >>> merge_groups(5, [(0, 3), (3, 4)])
    [0, 1, 2, 0, 0]
    """
    parent = list(range(count))

    def find(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for a, b in links:
        low, high = sorted((find(a), find(b)))
        parent[high] = low
    numbers: dict[int, int] = {}
    return [numbers.setdefault(find(at), len(numbers)) for at in range(count)]


def group_links(
    photos: Sequence[Photo], alike: Iterable[tuple[int, int]], *, series: bool, file: Path | None
) -> list[tuple[int, int]]:
    """Collect every reason to keep photos together, as pairs of indices: those given, and by names and a CSV file.

    Raises:
        DatasetError: the file cannot be used.
    """
    links = list(alike) + copy_links(photos)
    if series:
        links += series_links(photos)
    if file is not None:
        links += read_groups(file, photos)
    return links


def copy_links(photos: Sequence[Photo]) -> list[tuple[int, int]]:
    """Link each augmented copy that Roboflow made of a photo to the first one: names alike up to ``.rf.``."""
    first: dict[str, int] = {}
    links = []
    for at, name in enumerate(PhotoTable.of(photos).names):
        if _COPY_MARK in name:
            original = name[: name.rfind(_COPY_MARK)].rpartition("/")[2]
            if (home := first.setdefault(original, at)) != at:
                links.append((home, at))
    return links


def series_links(photos: Sequence[Photo]) -> list[tuple[int, int]]:
    """Link the photos of the public data set's selfie series to its first one."""
    members = series_members(photos)
    return [(members[0], other) for other in members[1:]]


def series_members(photos: Sequence[Photo]) -> list[int]:
    """Return the photos of the public data set's selfie series, found by file name and picture size together."""
    table = PhotoTable.of(photos)
    fitting = np.flatnonzero((table.facts[:, :2] == _SERIES_SIZE).all(axis=1)).tolist()
    return [at for at in fitting if in_series(table.names[at], _SERIES_SIZE)]


def in_series(name: str, size: tuple[int, int]) -> bool:
    """Say whether a photo of this size in pixels is of the public data set's selfie series, by its stem.

    >>> in_series("fold1/maksssksksss7.png", (301, 400)), in_series("me.png", (301, 400))
    (True, False)
    """
    return size == _SERIES_SIZE and _SERIES_NAME.fullmatch(Path(name).stem) is not None


def read_groups(path: Path, photos: Sequence[Photo]) -> list[tuple[int, int]]:
    """Read a CSV file with the columns ``name,group`` and link the photos of each group.

    A name is that of the annotation or the picture, with or without its suffix; a first line ``name,group`` is a
    header. Photos that the file does not name stay on their own.

    Raises:
        DatasetError: the file cannot be read, or a line has not two columns or names no photo; with the line.
    """
    known: dict[str, int | None] = {}
    for at, photo in enumerate(photos):
        picture = photo.picture.path
        full = {photo.name, photo.name[: photo.name.rfind(".")]}
        for name in full | {Path(photo.name).name, Path(photo.name).stem, picture.name, picture.stem}:
            known[name] = at if known.get(name, at) == at else None
    first: dict[str, int] = {}
    links = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                cells = [cell.strip() for cell in row]
                if not any(cells) or (number == 1 and cells[:2] == ["name", "group"]):
                    continue
                if len(cells) != 2 or not all(cells):
                    raise DatasetError(f"{path}:{number}", "expected two columns: name,group")
                if cells[0] not in known:
                    raise DatasetError(f"{path}:{number}", f"no photo is called {cells[0]!r}")
                member = known[cells[0]]
                if member is None:
                    raise DatasetError(f"{path}:{number}", f"several photos are called {cells[0]!r}: name the folder")
                links.append((first.setdefault(cells[1], member), member))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(path, f"cannot be read as a CSV file ({type(error).__name__})") from error
    return links
