"""Annotated pictures, named as their originals."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.results import MaskResult
from maskdet.sources import Picture
from maskdet.writers.atomic import write_bytes
from maskdet.writers.guard import Guard
from maskdet.writers.signature import sign

#: Endings that are written as they are; any other picture becomes a PNG.
WRITABLE: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def write_picture(path: Path, image: npt.NDArray[np.uint8]) -> Path:
    """Encode ``image`` (H, W, 3) uint8 BGR by the ending of ``path`` and write it, whole or not at all.

    Raises:
        SourceError: the ending is unknown, or the folder cannot be written.
    """
    if path.suffix.lower() not in WRITABLE:
        raise SourceError(path, f"unknown kind of picture; use one of {', '.join(sorted(WRITABLE))}")
    options = [cv2.IMWRITE_JPEG_QUALITY, 92] if path.suffix.lower() in {".jpg", ".jpeg"} else []
    done, data = cv2.imencode(path.suffix.lower(), image, options)
    if not done:
        raise SourceError(path, "cannot be encoded")
    return write_bytes(path, sign(data.tobytes()))


def picture_target(folder: Path, name: Path, suffix: str) -> Path:
    """Return where the annotated picture goes.

    Args:
        folder: of all annotated pictures.
        name: of the picture's files, without an ending; see ``OutputNames``.
        suffix: ending of the original.
    """
    return folder / name.with_name(name.name + (suffix if suffix.lower() in WRITABLE else ".png"))


class PictureWriter:
    """Writes annotated pictures below one folder, never over an original or anything that is not ours."""

    def __init__(self, folder: Path, guard: Guard | None = None) -> None:
        """Write below ``folder``, which is made when the first picture comes; ``guard`` knows what is read."""
        self._folder, self._guard = folder, guard or Guard()

    def write(self, picture: Picture, result: MaskResult, name: Path) -> Path:
        """Write one result at ``name`` below the folder, in the format of its original, and return where it went.

        Raises:
            SourceError: the target is a picture that is read or not ours, or cannot be written.
        """
        target = picture_target(self._folder, name, picture.relative.suffix)
        self._guard.check_media(target)
        return write_picture(target, result.plot())
