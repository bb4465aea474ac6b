"""Pictures from memory and from standard input: encoded bytes, open files, arrays, PIL images."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.imaging.decode import check_room, decode_bytes
from maskdet.imaging.limits import MAX_ENCODED_BYTES
from maskdet.results import ImageInfo
from maskdet.sources.picture import Picture, Source

MAX_BYTES: Final = MAX_ENCODED_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class Memory(Source):
    """An object that holds one picture; see ``from_memory``."""

    held: Any

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the one picture; see ``Source.read``."""
        if isinstance(self.held, (bytes, bytearray, memoryview)) or _is_file(self.held):
            from maskdet.sources.encoded import read_encoded

            data, name = _encoded(self.held)
            yield from read_encoded(data, name=name, shown=None, relative=Path("image.png"), stride=stride, stop=stop)
        else:
            yield from_memory(self.held)


class StandardInput(Source):
    """One encoded picture on standard input."""

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the one picture; see ``Source.read``."""
        from maskdet.sources.encoded import read_encoded, read_up_to

        data = read_up_to(sys.stdin.buffer.read, MAX_BYTES, "-")
        if not data:
            raise SourceError("-", "standard input is empty; pipe an encoded picture into it")
        yield from read_encoded(data, name="-", shown="-", relative=Path("stdin.png"), stride=stride, stop=stop)


def holds_one_picture(source: Any) -> bool:
    """Whether an object is bytes, an array, a PIL image or an open file: these are no collections of sources."""
    encoded = isinstance(source, (bytes, bytearray, memoryview))
    return encoded or isinstance(source, np.ndarray) or hasattr(source, "getexif") or _is_file(source)


def from_memory(source: Any) -> Picture:
    """Take a picture from encoded bytes, an open binary file, (H, W, 3) uint8 BGR or (H, W) grey, or a PIL image.

    Raises:
        SourceError: the bytes cannot be decoded, or the array or image has another shape, type or mode.
        TypeError: the object is none of these, or a text file.
    """
    if isinstance(source, (bytes, bytearray, memoryview)) or _is_file(source):
        pixels = decode_bytes(*_encoded(source))
    elif isinstance(source, np.ndarray):
        pixels = _check_array(source)
    elif hasattr(source, "convert") and hasattr(source, "getexif"):
        pixels = from_pil(source)
    else:
        raise TypeError(
            f"cannot take a picture from {type(source).__name__}: give a path, bytes, file, array or PIL image"
        )
    return Picture(pixels, ImageInfo(None, pixels.shape[1], pixels.shape[0]), Path("image.png"))


def _is_file(source: Any) -> bool:
    """Whether an object is an open file, in the widest sense; a capture of OpenCV's, which reads too, cannot close."""
    return all(callable(getattr(source, name, None)) for name in ("read", "close"))


def _encoded(source: Any) -> tuple[bytes, str]:
    """Return the bytes of an object that holds them, and how messages call it."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), "bytes"
    name = getattr(source, "name", None)
    name = name if isinstance(name, str) and name else "file object"
    if isinstance(source, io.TextIOBase):
        raise TypeError("cannot take a picture from a text file: open it in binary mode, 'rb'")
    try:
        from maskdet.sources.encoded import read_up_to

        data = read_up_to(source.read, MAX_BYTES, name)
    except ValueError as error:  # a closed file
        raise SourceError(name, f"cannot be read ({error})") from error
    if not data:
        raise SourceError(name, "nothing is left to read: if it was read before, seek(0) first")
    return data, name


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


_PIL: Final = "PIL image"

#: Modes of 16 bits, which ``convert`` would clip at 255; ``I`` is what PIL makes of some 16-bit files.
_DEEP: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I"})

#: Modes that take a step of their own on the way to RGB.
_STEPS: Final = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}


def from_pil(image: Any) -> npt.NDArray[np.uint8]:
    """Return a PIL image as (H, W, 3) uint8 BGR, upright; 16 bits are brought to 8 as OpenCV does it.

    Raises:
        SourceError: it is too large, cannot be decoded, or its mode has no one meaning as a colour.
    """
    from PIL import ImageOps  # there whenever the caller holds a PIL image

    check_room(f"a {_PIL}", image.size, image.width * image.height * 6, _PIL)
    if image.mode == "F":
        raise SourceError(_PIL, "mode F has no range of its own: scale it to 0–255 and convert it to L")
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode in _DEEP:
            return _from_deep(upright)
        rgb = upright.convert(_STEPS.get(upright.mode, "RGB")).convert("RGB")
    except (OSError, SyntaxError, EOFError, ValueError) as error:  # it is decoded no sooner than here
        raise SourceError(_PIL, f"of mode {image.mode} cannot be decoded ({error})") from error
    return np.ascontiguousarray(np.asarray(rgb, dtype=np.uint8)[:, :, ::-1])


def _from_deep(image: Any) -> npt.NDArray[np.uint8]:
    values = np.asarray(image)
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    if low < 0 or high > 0xFFFF:
        raise SourceError(
            _PIL, f"mode {image.mode} with values from {low} to {high}: scale it to 0–255, convert it to L"
        )
    grey = (values >> 8).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
