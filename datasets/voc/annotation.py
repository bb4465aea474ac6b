"""What one Pascal VOC annotation file says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from maskdet.datasets.photos.photo import MendKind


@dataclass(frozen=True, slots=True)
class VocObject:
    """One ``<object>`` as written.

    Attributes:
        name: the class name, blanks at its ends removed.
        box: xmin, ymin, xmax, ymax as written, unchecked except for being finite numbers.
        line: where the object starts in its file, 1-based.
        difficult: it is marked as hard to tell.
        outline: what the box was put around where it is not written as such (a polygon, a turned box), else None.
    """

    name: str
    box: tuple[float, float, float, float]
    line: int
    difficult: bool = False
    outline: str | None = None


class Notice(NamedTuple):
    """Something to be said of a file: its kind, in words, and the line (None for the file as a whole)."""

    kind: MendKind
    detail: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class VocAnnotation:
    """One annotation file.

    Attributes:
        path: the XML file.
        filename: the text of ``<filename>``; None where it is missing or empty.
        size: width, height in pixels from ``<size>``; None where it is missing or no size of a picture.
        objects: the boxes in the file's order; empty for a background picture.
        notices: what was passed over or put right while reading.
    """

    path: Path
    filename: str | None
    size: tuple[int, int] | None
    objects: tuple[VocObject, ...]
    notices: tuple[Notice, ...] = ()
