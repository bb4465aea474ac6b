"""Encoded pictures in memory, and recordings without a container: JPEGs one behind another, as cameras write them."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from maskdet.errors import SourceError
from maskdet.imaging import jpeg
from maskdet.imaging.decode import decode_bytes
from maskdet.imaging.first_bytes import HEAD_BYTES, kind_of
from maskdet.imaging.limits import MAX_FRAME_BYTES
from maskdet.results import ImageInfo
from maskdet.sources.picture import Clip, Picture
from maskdet.sources.video import FALLBACK_FPS, check_frame_size

#: Bytes asked for at a time.
_FRAME_CHUNK: Final = 1 << 22

#: Frames in a row without an end, after which the rest is not looked at.
_MOST_DAMAGED: Final = 100


def read_recording(
    read: Callable[[int], bytes], *, name: str, relative: Path, stride: int, stop: threading.Event
) -> Iterator[Picture]:
    """Yield every ``stride``-th picture of a recording as a frame; a single damaged one costs only itself.

    ``read`` gives up to so many of its next bytes, none at its end.

    Raises:
        SourceError: no frame can be read, or one is too large.
    """
    clip = Clip(name, relative, FALLBACK_FPS / stride, None, live=False)
    shown = 0
    for index, encoded in enumerate(_frames(read)):
        if stop.is_set():
            return
        if index % stride:
            continue
        if (size := jpeg.read_header(encoded).size) is not None:
            check_frame_size(*size, name)
        try:
            pixels = decode_bytes(encoded, name)
        except SourceError:
            continue
        shown += 1
        height, width = pixels.shape[:2]
        yield Picture(pixels, ImageInfo(name, width, height, index), relative, clip)
        del pixels  # else one more frame is held than the reader knows of
    if not shown:
        raise SourceError(name, "no frame of it can be read")


def _frames(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield each JPEG; what stands between is passed over, as is one that does not end."""
    held, ended, damaged = b"", False, 0
    while damaged < _MOST_DAMAGED:
        start = held.find(b"\xff\xd8\xff")
        held = held[start:] if start >= 0 else held[-2:]
        end = jpeg.end(held, jpeg.read_header(held)) if start >= 0 else None
        if end is not None:
            yield held[:end]
            held, damaged = held[end:], 0
        elif ended or len(held) > MAX_FRAME_BYTES:
            if start < 0:
                return
            held, damaged = held[3:], damaged + 1
        else:
            part = read(_FRAME_CHUNK)
            held, ended = held + part, not part


#: Bytes asked for at a time.
_CHUNK = 1 << 20


def read_encoded(
    data: bytes, *, name: str, shown: str | None, relative: Path, stride: int, stop: threading.Event
) -> Iterator[Picture]:
    """Yield the picture that bytes hold, or the frames of a recording of JPEGs.

    Messages call them ``name``, results ``shown``.

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
