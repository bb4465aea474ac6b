"""Recordings without a container: JPEGs one behind another, as cameras write them and ``curl`` keeps a stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from maskdet.errors import SourceError
from maskdet.imaging import jpeg
from maskdet.imaging.decode import decode_bytes
from maskdet.imaging.limits import MAX_FRAME_BYTES
from maskdet.results import ImageInfo
from maskdet.sources.content.capture import FALLBACK_FPS, check_frame_size
from maskdet.sources.content.source import Clip, Picture

#: Bytes asked for at a time.
_CHUNK: Final = 1 << 22

#: Frames in a row without an end, after which the rest is not looked at.
_MOST_DAMAGED: Final = 100


def read_recording(
    read: Callable[[int], bytes], *, name: str, relative: Path, stride: int, stop: threading.Event
) -> Iterator[Picture]:
    """Yield every ``stride``-th picture of a recording as a frame; a single damaged one costs only itself.

    Args:
        read: gives up to so many of its next bytes, none at its end.
        name: how messages and results call it.
        relative: for naming outputs.
        stride: 1 for every frame.
        stop: ends the reading.

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
            part = read(_CHUNK)
            held, ended = held + part, not part
