"""Which photos a model has been trained on, carried in its file: of each the beginning of its file's SHA-256.

The content counts, not the name: a photo that was linked into another folder or renamed is known again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from maskdet.errors import SourceError

#: The metadata of a model's file.
KEY: Final = "maskdet_seen"

#: Hexadecimal digits of each photo. Of a thousand strangers and ten thousand photos seen, one in 400 times one is
#: taken for seen.
_DIGITS: Final = 8


def marks_of(photos: Iterable[Path], before: str = "") -> str:
    """Return the marks of photos and of those seen ``before``: eight digits each, sorted, one after another.

    Raises:
        SourceError: a photo cannot be read.
    """
    return "".join(sorted({_mark(photo) for photo in photos} | _split(before)))


def photos_among(photos: Sequence[Path], marks: str) -> list[Path]:
    """Return those of the photos whose marks are among what ``marks_of`` gave.

    Raises:
        SourceError: a photo cannot be read.
    """
    known = _split(marks)
    return [photo for photo in photos if _mark(photo) in known]


def _mark(photo: Path) -> str:
    try:
        return hashlib.sha256(photo.read_bytes()).hexdigest()[:_DIGITS]
    except OSError as error:
        raise SourceError(photo, f"cannot be read ({error.strerror})") from error


def _split(marks: str) -> set[str]:
    return {marks[at : at + _DIGITS] for at in range(0, len(marks), _DIGITS)}
