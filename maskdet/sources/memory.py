"""Pictures from memory and from standard input."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.decode import decode_bytes
from maskdet.errors import SourceError
from maskdet.results import ImageInfo
from maskdet.sources.picture import Picture, Source

#: Largest encoded picture taken from a pipe or the network, in bytes: four bytes a pixel of a 50-megapixel photo.
MAX_BYTES: Final = 200 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Memory(Source):
    """An object that holds one picture; see ``from_memory``."""

    held: Any

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the one picture; see ``Source.read``."""
        yield from_memory(self.held)


class StandardInput(Source):
    """One encoded picture on standard input."""

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the one picture; see ``Source.read``."""
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        if not data:
            raise SourceError("-", "standard input is empty; pipe an encoded picture into it")
        if len(data) > MAX_BYTES:
            raise SourceError("-", f"more than {MAX_BYTES // 2**20} MB on standard input; give a path instead")
        pixels = decode_bytes(data, "-")
        yield Picture(pixels, ImageInfo("-", pixels.shape[1], pixels.shape[0]), Path("stdin.png"))


def holds_one_picture(source: Any) -> bool:
    """Whether an object is bytes, an array or a PIL image, which are never taken for collections of sources."""
    return isinstance(source, (bytes, bytearray, memoryview, np.ndarray)) or hasattr(source, "getexif")


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
