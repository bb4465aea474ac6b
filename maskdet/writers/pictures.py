"""Annotated pictures, named as their originals, and faces cut out: a folder that image classifiers train on."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskdet.files.guard import Guard
from maskdet.imaging.encode import WRITABLE, write_picture
from maskdet.results import Face, MaskResult
from maskdet.sources import Picture


def picture_target(folder: Path, name: Path, suffix: str) -> Path:
    """Return where the annotated picture of this name, without an ending, goes; ``suffix`` is the original's."""
    return folder / name.with_name(name.name + (suffix if suffix.lower() in WRITABLE else ".png"))


class PictureWriter:
    """Writes annotated pictures below one folder, never over an original or anything that is not ours."""

    def __init__(self, folder: Path, guard: Guard | None = None) -> None:
        self._folder, self._guard = folder, guard or Guard()

    def write(self, picture: Picture, result: MaskResult, name: Path) -> Path:
        """Write one result at ``name`` below the folder, in the format of its original, and return where it went.

        Raises:
            SourceError: the target is a picture that is read or not ours, or cannot be written.
        """
        target = picture_target(self._folder, name, picture.relative.suffix)
        self._guard.check_media(target)
        return write_picture(target, result.plot())


def folder_name(name: str) -> str:
    """Return a class's folder: its name, without what leads elsewhere or no file system takes.

    >>> folder_name("with_mask"), folder_name("../a b/c")
    ('with_mask', '_.._a b_c')
    """
    plain = re.sub(r'[\\/:*?"<>|]', "_", name).strip()
    return f"_{plain}" if plain.startswith(".") or not plain else plain


class CropWriter:
    """Writes each face as ``CLASS/NAME_N.png``, N counting the faces of a picture from 1, as in the table."""

    def __init__(self, folder: Path, guard: Guard | None = None) -> None:
        self._folder, self._guard = folder, guard or Guard()

    def write(self, picture: Picture, result: MaskResult, name: Path) -> None:
        """Write all faces of one picture."""
        for number, face in enumerate(result.faces, 1):
            target = self._folder / folder_name(face.name) / name.with_name(f"{name.name}_{number}.png")
            self._guard.check_media(target)
            write_picture(target, cut_out(picture.pixels, face))


def cut_out(pixels: npt.NDArray[np.uint8], face: Face) -> npt.NDArray[np.uint8]:
    """Return the pixels of (H, W, 3) uint8 that the box of a face inside touches, a view of at least 1×1."""
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = face.box
    left, upper = min(math.floor(x1), width - 1), min(math.floor(y1), height - 1)
    return pixels[upper : max(upper + 1, math.ceil(y2)), left : max(left + 1, math.ceil(x2))]
