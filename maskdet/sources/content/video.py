"""Videos with an end: every frame, or every n-th, in order."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from maskdet.errors import SourceError
from maskdet.results import ImageInfo
from maskdet.sources.content.capture import (
    check_frame_size,
    frame_count,
    frame_rate,
    frame_seconds,
    frame_size,
    open_capture,
)
from maskdet.sources.content.source import Clip, Picture

#: Containers that count their frames; of the others OpenCV estimates the number from length and speed.
_COUNTED: Final = frozenset({".avi", ".m4v", ".mov", ".mp4"})

#: Share of the counted frames that may be missing before the file is called cut short: editors hide a few frames.
_TOLERANCE: Final = 0.05


class CannotOpenError(SourceError):
    """A video that is not even opened."""


def read_clip(address: str, *, name: str, relative: Path, stride: int, stop: threading.Event) -> Iterator[Picture]:
    """Yield every ``stride``-th frame of a video that has an end; the frames between are not decoded to pixels.

    Args:
        address: an absolute path or a URL.
        name: how messages and results call it.
        relative: for naming outputs.
        stride: 1 for every frame.
        stop: ends the reading.

    Raises:
        SourceError: it cannot be opened, has too large frames, holds no frame, or (after its last frame) was cut short.
    """
    capture = open_capture(address)
    if capture is None:
        raise CannotOpenError(name, "damaged, or not a video that can be read")
    try:
        check_frame_size(*frame_size(capture), name)
        count = frame_count(capture)
        expected = None if count is None else math.ceil(count / stride)
        clip = Clip(name, relative, frame_rate(capture) / stride, expected, live=False)
        index = shown = 0
        while not stop.is_set() and capture.grab():
            if index % stride == 0:
                read, pixels = capture.retrieve()
                if read:  # a single damaged frame costs only itself
                    shown += 1
                    height, width = pixels.shape[:2]
                    check_frame_size(width, height, name)
                    info = ImageInfo(name, width, height, index)
                    yield Picture(pixels, info, relative, clip, frame_seconds(capture))
                    del pixels  # else one more frame is held than the reader knows of
            index += 1
    finally:
        capture.release()
    if stop.is_set():
        return
    if not shown:
        raise SourceError(name, "no frame of it can be read")
    if count is not None and relative.suffix.lower() in _COUNTED and index < count * (1 - _TOLERANCE):
        raise SourceError(name, f"damaged or cut short: only {index} of {count} frames can be read")
