"""Putting photos into a YOLO data set: the picture linked or copied, the label file beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maskdet.datasets.output_folder import LinkKind
from maskdet.datasets.photo_table import PhotoTable, split_file
from maskdet.datasets.yolo import label_lines, to_yolo


@dataclass(frozen=True, slots=True)
class PhotoWriter:
    """Writes photos that have splits into ``images/SPLIT/`` and ``labels/SPLIT/`` of a folder.

    Attributes:
        folder: the data set's folder, with a folder for every split already in both.
        images: how pictures get there.
        place: puts a picture there.
    """

    folder: Path
    images: LinkKind
    place: Callable[[str, str, LinkKind], None]

    def __call__(self, photos: PhotoTable) -> int:
        """Write photos; return how many.

        Raises:
            DatasetError: a picture cannot be put in place.
        """
        # Paths are strings here: to make path objects takes as long as to write the files.
        source, images, labels = map(os.fspath, (photos.folder, self.folder / "images", self.folder / "labels"))
        sizes = photos.facts[photos.owners, :2]
        lines = label_lines(photos.class_ids, to_yolo(photos.boxes, sizes))
        start = 0
        for file, split, end in zip(photos.files, photos.splits or (), photos.ends.tolist(), strict=True):
            base, stem = split_file(file)
            self.place(f"{source}/{file}", f"{images}/{split}/{base}", self.images)
            write_text(f"{labels}/{split}/{stem}.txt", "".join(lines[start:end]))
            start = end
        return len(photos)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file with the same line ends on every system."""
    with open(path, "wb", buffering=0) as file:  # noqa: PTH123 - see above
        file.write(text.encode())
