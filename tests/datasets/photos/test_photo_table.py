from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.photo_table import PhotoGatherer, PhotoTable
from maskdet.datasets.photos.picture_file import Picture


def photo(name: str, ids: list[int], split: str | None = None) -> Photo:
    picture = Picture(Path(f"set/{name}.jpg"), (30, 40), (40, 30), 6, f"sum of {name}")
    boxes = np.arange(4 * len(ids), dtype=np.float64).reshape(-1, 4) + len(name)
    return Photo(f"{name}.xml", picture, np.array(ids, dtype=np.int64), boxes, split)


PHOTOS = [photo("a", [0, 2]), photo("bb", []), photo("ccc", [1], "val"), photo("dddd", [2, 2, 0])]


def rows(photos: PhotoTable | list[Photo]) -> list[tuple[object, ...]]:
    return [
        (one.name, one.picture.path, one.picture.size, one.picture.stored_size, one.picture.orientation,
         one.class_ids.tolist(), one.boxes.tolist(), one.split)
        for one in photos
    ]  # fmt: skip


def test_photos_come_back_as_they_went_in() -> None:
    table = PhotoTable.of(PHOTOS)
    assert rows(table) == rows(PHOTOS)
    assert table[-1].picture.sha256 == "sum of dddd"
    assert rows(table[1:3]) == rows(PHOTOS[1:3])
    assert PhotoTable.of(table) is table
    with pytest.raises(IndexError):
        table[4]


def test_counts() -> None:
    table = PhotoTable.of(PHOTOS)
    assert table.counts.tolist() == [2, 0, 1, 3]
    assert table.owners.tolist() == [0, 0, 2, 3, 3, 3]
    assert table.class_counts(3).tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 0, 2]]
    assert table.class_counts(2).tolist() == [[1, 0], [0, 0], [0, 1], [1, 0]]


@pytest.mark.parametrize("chosen", [[], [1], [0, 3], [0, 1, 2, 3]])
def test_some_of_them(chosen: list[int]) -> None:
    assert rows(PhotoTable.of(PHOTOS).take(chosen)) == rows([PHOTOS[at] for at in chosen])


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_chunks_are_the_whole_in_parts(size: int) -> None:
    chunks = list(PhotoTable.of(PHOTOS).chunks(size))
    assert [row for chunk in chunks for row in rows(chunk)] == rows(PHOTOS)
    assert {len(chunk) for chunk in chunks[:-1]} <= {size}


@pytest.mark.parametrize("ends", [[], [0], [1, 4], [0, 0, 2, 2, 4]])
def test_gathered(ends: list[int]) -> None:
    table = PhotoTable.of(PHOTOS)
    gatherer = PhotoGatherer(Path())
    for start, end in zip([0, *ends], ends, strict=False):
        gatherer.add(table.names[start:end], table[start:end])
    gathered = gatherer.table()
    last = ends[-1] if ends else 0
    assert rows(gathered) == [(*row[:-1], None) for row in rows(table[:last])]
    assert gathered.ends.tolist() == table.ends[:last].tolist()
