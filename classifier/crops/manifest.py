"""The manifest of a crop folder: one line of CSV a crop, saying where it comes from and what it shows.

::

    crop,photo,face,x1,y1,x2,y2,class,binary,group
    without_mask/a_0.png,a.jpg,0,79,105,109,142,without_mask,1,a
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Final, Literal

from maskdet.classes import CLASS_NAMES
from maskdet.errors import DatasetError
from maskdet.results.rows import csv_text, path_cell, plain_path

COLUMNS: Final = ("crop", "photo", "face", "x1", "y1", "x2", "y2", "class", "binary", "group")

#: By class id. The study's positive class is the bare face; a mask worn incorrectly takes no part in its two classes.
BINARY_LABELS: Final[tuple[Literal[0, 1] | None, ...]] = (0, 1, None)


@dataclass(frozen=True, slots=True)
class CropRecord:
    """One face.

    Attributes:
        crop: its file in the crop folder, with ``/`` between folder and name.
        face: its number in the photo, from 0, in the annotation's order.
        box: x1, y1, x2, y2 in pixels of the upright photo, as annotated (after mending), not as cut.
        group: crops of one group belong on one side of a split.
    """

    crop: str
    photo: str
    face: int
    box: tuple[float, float, float, float]
    class_id: int
    group: str

    @property
    def binary(self) -> Literal[0, 1] | None:
        """The study's label: 1 without mask, 0 with mask, None for a mask worn incorrectly."""
        return BINARY_LABELS[self.class_id]


def format_manifest(records: Iterable[CropRecord]) -> str:
    r"""Return the manifest's text.

    >>> record = CropRecord("with_mask/a_0.png", "a.jpg", 0, (1.0, 2.0, 30.5, 40.0), 0, "a")
    >>> format_manifest([record]).splitlines()[1]
    'with_mask/a_0.png,a.jpg,0,1,2,30.5,40,with_mask,0,a'
    """
    return csv_text([COLUMNS, *map(_row, records)])


def _row(record: CropRecord) -> list[object]:
    where = [path_cell(record.crop), path_cell(record.photo), record.face, *(f"{edge:.12g}" for edge in record.box)]
    return [*where, CLASS_NAMES[record.class_id], record.binary, path_cell(record.group)]


def read_manifest(path: Path) -> list[CropRecord]:
    """Read a manifest.

    Raises:
        DatasetError: the file cannot be read, is no manifest, lists nothing, or a line is wrong; with the line.
    """
    records = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            if tuple(next(reader, ())) != COLUMNS:
                raise DatasetError(path, f"is no crop manifest: its first line must be {','.join(COLUMNS)}")
            for row in reader:
                if row:
                    records.append(_parse(row, f"{path}:{reader.line_num}"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(path, f"cannot be read as a CSV file ({type(error).__name__})") from error
    if not records:
        raise DatasetError(path, "lists no crop")
    return records


def _parse(row: list[str], where: str) -> CropRecord:
    if len(row) != len(COLUMNS):
        raise DatasetError(where, f"expected {len(COLUMNS)} columns, found {len(row)}")
    crop, photo, face, *edges, name, binary, group = row
    crop, photo, group = map(plain_path, (crop, photo, group))
    # A manifest from elsewhere must not make anything read files outside its own folder;
    # Windows' rules read both kinds of slash, drives and network names, wherever this runs.
    inside = PureWindowsPath(crop)
    if not inside.name or inside.anchor or ".." in inside.parts or "\0" in crop:
        raise DatasetError(where, f"the crop {crop!r} is not a file inside the folder")
    if name not in CLASS_NAMES:
        raise DatasetError(where, f"unknown class {name!r}; the classes are {', '.join(CLASS_NAMES)}")
    try:
        number = int(face)
        x1, y1, x2, y2 = (float(edge) for edge in edges)
    except ValueError:
        raise DatasetError(where, "face must be a whole number and x1, y1, x2, y2 numbers") from None
    if number < 0 or not (x1 < x2 and y1 < y2 and all(map(math.isfinite, (x1, y1, x2, y2)))):
        raise DatasetError(where, "the face's number is negative or its box has no area")
    record = CropRecord(crop, photo, number, (x1, y1, x2, y2), CLASS_NAMES.index(name), group)
    if binary != ("" if record.binary is None else str(record.binary)):
        raise DatasetError(where, f"binary is {binary!r}, which does not fit the class {name}")
    if not photo or not group:
        raise DatasetError(where, "photo and group must not be empty")
    return record
