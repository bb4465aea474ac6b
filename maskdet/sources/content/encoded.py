"""Encoded pictures in memory: from a pipe, a web server, an open file or the caller's own bytes."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from maskdet.errors import SourceError
from maskdet.imaging import jpeg
from maskdet.imaging.decode import decode_bytes
from maskdet.imaging.first_bytes import HEAD_BYTES, kind_of
from maskdet.results import ImageInfo
from maskdet.sources.content.recording import read_recording
from maskdet.sources.content.source import Picture

#: Bytes asked for at a time.
_CHUNK = 1 << 20


def read_encoded(
    data: bytes, *, name: str, shown: str | None, relative: Path, stride: int, stop: threading.Event
) -> Iterator[Picture]:
    """Yield the picture that bytes hold, or the frames of a recording of JPEGs.

    Args:
        data: the bytes.
        name: how messages call them.
        shown: how results call them.
        relative: for naming outputs.
        stride: of a recording every how-many-th frame is yielded.
        stop: ends the reading.

    Raises:
        SourceError: they are neither.
    """
    kind = kind_of(data[:HEAD_BYTES])
    if kind.family == "frames" or (kind.name == "JPEG" and jpeg.is_recording(data)):
        yield from read_recording(io.BytesIO(data).read, name=name, relative=relative, stride=stride, stop=stop)
        return
    if kind.family == "video":
        raise SourceError(name, f"{kind.name}, which is read from a file or an address: give its path")
    pixels = decode_bytes(data, name)
    yield Picture(pixels, ImageInfo(shown, pixels.shape[1], pixels.shape[0]), relative)


def read_up_to(read: Callable[[int], Any], limit: int, name: str) -> bytes:
    """Read to the end of a file object, whose reads may give less than is asked for.

    Raises:
        SourceError: there is more than ``limit``, or it fails.
        TypeError: it gives no bytes.
    """
    data = bytearray()
    while True:
        try:
            part = read(min(_CHUNK, limit + 1 - len(data)))
        except OSError as error:
            raise SourceError(name, f"cannot be read ({error.strerror or error})") from error
        if not isinstance(part, (bytes, bytearray, memoryview)):
            raise _no_bytes(part)
        if not part:
            return bytes(data)
        data += part
        if len(data) > limit:
            raise SourceError(name, f"more than {limit // 2**20} MB; give a path instead")


def _no_bytes(part: Any) -> TypeError:
    if isinstance(part, str):
        return TypeError("cannot take a picture from a text file: open it in binary mode, 'rb'")
    if hasattr(part, "close") and hasattr(part, "__await__"):
        part.close()  # else Python warns of a coroutine that nobody awaits
        return TypeError("cannot take a picture from an asynchronous file: pass await file.read()")
    return TypeError(f"cannot take a picture from a file whose read() gives {type(part).__name__}: pass its bytes")
