"""Recordings without a container: JPEGs one behind another, as cameras write them and ``curl`` keeps a stream."""

from __future__ import annotations

import math
import mmap
import threading
from collections.abc import Iterator
from pathlib import Path

from maskdet import jpeg
from maskdet.decode import decode_bytes
from maskdet.errors import SourceError
from maskdet.results import ImageInfo
from maskdet.sources.capture import FALLBACK_FPS, check_frame_size
from maskdet.sources.picture import Clip, Picture


def read_recording(
    data: bytes | mmap.mmap, *, name: str, relative: Path, stride: int, stop: threading.Event
) -> Iterator[Picture]:
    """Yield every ``stride``-th picture of a recording as a frame; a single damaged one costs only itself.

    Args:
        data: the recording, or its file mapped into memory.
        name: how messages and results call it.
        relative: for naming outputs.
        stride: 1 for every frame.
        stop: ends the reading.

    Raises:
        SourceError: no frame can be read, or one is too large.
    """
    frames = list(_frames(data))
    clip = Clip(name, relative, FALLBACK_FPS / stride, math.ceil(len(frames) / stride), live=False)
    shown = 0
    for index in range(0, len(frames), stride):
        if stop.is_set():
            return
        start, end = frames[index]
        encoded = bytes(data[start:end])
        if (size := jpeg.read_header(encoded).size) is not None:
            check_frame_size(*size, name)
        try:
            pixels = decode_bytes(encoded, name)
        except SourceError:
            continue
        shown += 1
        height, width = pixels.shape[:2]
        yield Picture(pixels, ImageInfo(name, width, height, index), relative, clip)
        del pixels, encoded  # else one more frame is held than the reader knows of
    if not shown:
        raise SourceError(name, "no frame of it can be read")


def _frames(data: bytes | mmap.mmap) -> Iterator[tuple[int, int]]:
    """Yield where each JPEG begins and ends; what stands between is passed over, as is one that does not end."""
    at = data.find(b"\xff\xd8\xff")
    while at >= 0:
        end = jpeg.end(data, jpeg.read_header(data, at))
        if end is not None:
            yield at, end
        at = data.find(b"\xff\xd8\xff", at + 3 if end is None else end)
