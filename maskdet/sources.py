"""Sources: whatever a caller names, as a stream of pictures with their origin.

A source that cannot be read yields its error in its place, so that one bad file never costs the others.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.decode import IMAGE_SUFFIXES, decode_bytes, decode_file
from maskdet.errors import SourceError
from maskdet.results import ImageInfo


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture.

    Attributes:
        pixels: (H, W, 3) uint8 BGR, upright.
        info: its origin and size.
        relative: its place below the folder it was found in (its bare name for a single file), for naming outputs.
    """

    pixels: npt.NDArray[np.uint8]
    info: ImageInfo
    relative: Path


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture file that was found but not decoded yet."""

    path: Path
    relative: Path

    def decode(self) -> Picture:
        """Read and decode the file.

        Raises:
            SourceError: see ``maskdet.decode``.
        """
        pixels = decode_file(self.path)
        return Picture(pixels, ImageInfo(str(self.path), pixels.shape[1], pixels.shape[0]), self.relative)


def find_files(source: str | Path) -> list[PictureFile]:
    """List the picture files that a path, a folder or a glob pattern names.

    A folder is searched through all its subfolders, in sorted order, by file ending; hidden files are passed over.

    Raises:
        SourceError: nothing is there, or a folder or pattern holds no picture.
    """
    path = Path(source)
    if path.is_dir():
        found = sorted(
            child
            for child in path.rglob("*")
            if child.suffix.lower() in IMAGE_SUFFIXES and not child.name.startswith(".") and child.is_file()
        )
        if not found:
            raise SourceError(source, f"no pictures in this folder (looked for {', '.join(sorted(IMAGE_SUFFIXES))})")
        return [PictureFile(child, child.relative_to(path)) for child in found]
    # A file may well be called "a[1].jpg": a name that exists is never a pattern.
    if not path.exists() and glob.has_magic(str(source)):
        names = sorted(glob.glob(str(source), recursive=True))  # noqa: PTH207 (Path.glob takes no absolute patterns)
        matches = [Path(name) for name in names if Path(name).is_file()]
        if not matches:
            raise SourceError(source, "no file matches this pattern")
        return [PictureFile(child, Path(child.name)) for child in matches]
    if not path.exists():
        raise SourceError(source, "no such file or folder")
    return [PictureFile(path, Path(path.name))]


def from_memory(source: Any) -> Picture:
    """Take a picture from memory: encoded bytes, an array or a PIL image.

    Args:
        source: ``bytes`` of a picture file; ``numpy`` (H, W, 3) uint8 BGR, or (H, W) uint8 grey; or a PIL image.

    Raises:
        SourceError: the bytes cannot be decoded, or the array has another shape or type.
        TypeError: the object is none of these.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        pixels = decode_bytes(bytes(source), "bytes")
    elif isinstance(source, np.ndarray):
        pixels = _check_array(source)
    elif hasattr(source, "convert") and hasattr(source, "getexif"):
        pixels = _from_pil(source)
    else:
        raise TypeError(f"cannot take a picture from {type(source).__name__}: give a path, bytes, array or PIL image")
    return Picture(pixels, ImageInfo(None, pixels.shape[1], pixels.shape[0]), Path("image.png"))


def _check_array(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or 0 in array.shape:
        raise SourceError("array", f"expected (H, W, 3) uint8 BGR, got {array.shape} {array.dtype}")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.shape[2] == 1:
        return np.repeat(array, 3, axis=2)
    if array.shape[2] != 3:
        raise SourceError("array", f"expected 3 channels (BGR), got {array.shape[2]}")
    return array


def _from_pil(image: Any) -> npt.NDArray[np.uint8]:
    from PIL import ImageOps  # there whenever the caller holds a PIL image

    upright = ImageOps.exif_transpose(image).convert("RGB")
    return np.ascontiguousarray(np.asarray(upright, dtype=np.uint8)[:, :, ::-1])


def pictures(source: Any) -> Iterator[Picture | SourceError]:
    """Yield every picture of a source, or the error in its place.

    Args:
        source: a path, folder or glob pattern (str or Path), bytes, array, PIL image, or an iterable of these.
    """
    if isinstance(source, (str, Path)):
        try:
            files = find_files(source)
        except SourceError as error:
            yield error
            return
        for file in files:
            try:
                yield file.decode()
            except SourceError as error:
                yield error
    elif isinstance(source, Iterable) and not _is_single(source):
        for item in source:
            yield from pictures(item)
    else:
        try:
            yield from_memory(source)
        except SourceError as error:
            yield error


def _is_single(source: Any) -> bool:
    return isinstance(source, (bytes, bytearray, memoryview, np.ndarray)) or hasattr(source, "getexif")


def is_single(source: Any) -> bool:
    """Whether a source names exactly one picture, so that one result, not a list, is the natural answer."""
    if isinstance(source, (str, Path)):
        path = Path(source)
        return path.is_file() or not (path.is_dir() or glob.has_magic(str(source)))
    return _is_single(source) or not isinstance(source, Iterable)
