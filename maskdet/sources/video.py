"""Videos with an end: every frame, or every n-th, in order; and opening what OpenCV reads frames from."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2

from maskdet.errors import SourceError
from maskdet.imaging.limits import MAX_FRAME_PIXELS
from maskdet.results import ImageInfo
from maskdet.sources.picture import Clip, Picture

#: Seconds after which a camera or server that says nothing counts as lost.
NETWORK_SECONDS: Final = 10.0

#: Taken where a file or stream does not say its speed, or says nonsense: that of European television.
FALLBACK_FPS: Final = 25.0
_HIGHEST_FPS: Final = 1000.0


def open_capture(address: str | int) -> Any | None:
    """Open a camera index, a URL or an absolute path; return the capture, or None where it cannot be opened.

    OpenCV turns frames upright by the video's own rotation.
    """
    if isinstance(address, int):
        capture = cv2.VideoCapture(address)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the driver's queue would hold stale frames
    elif cv2.CAP_FFMPEG in cv2.videoio_registry.getStreamBackends():
        # Named, because OpenCV's other readers complain on standard error about files that are not theirs.
        limit = round(NETWORK_SECONDS * 1000)
        options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
        capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, options)
    else:
        capture = cv2.VideoCapture(address)
    if capture.isOpened():
        return capture
    capture.release()
    return None


def frame_rate(capture: Any) -> float:
    """Return the frames a second that an open capture tells, or ``FALLBACK_FPS``."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if math.isfinite(fps) and 0 < fps <= _HIGHEST_FPS else FALLBACK_FPS


def frame_count(capture: Any) -> int | None:
    """Return how many frames an open capture tells that it has, or None."""
    count = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return int(count) if math.isfinite(count) and count > 0 else None


def frame_seconds(capture: Any) -> float | None:
    """Return where in the video the frame that was grabbed last stands, or None where that is not told."""
    seconds = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def frame_size(capture: Any) -> tuple[float, float]:
    """Return the width and height of the frames that an open capture tells, before any is decoded."""
    return float(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), float(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))


def check_frame_size(width: float, height: float, name: str) -> None:
    """Make sure that frames are not too large to be held."""
    if width * height > MAX_FRAME_PIXELS:
        limit = f"{MAX_FRAME_PIXELS // 1_000_000} megapixels of a frame that are read"
        raise SourceError(name, f"frames of {width:,.0f}×{height:,.0f} pixels are more than the {limit}; scale it down")


#: Containers that count their frames; of the others OpenCV estimates the number from length and speed.
_COUNTED: Final = frozenset({".avi", ".m4v", ".mov", ".mp4"})

#: Share of the counted frames that may be missing before the file is called cut short: editors hide a few frames.
_TOLERANCE: Final = 0.05


class CannotOpenError(SourceError):
    """A video that is not even opened."""


def read_clip(address: str, *, name: str, relative: Path, stride: int, stop: threading.Event) -> Iterator[Picture]:
    """Yield every ``stride``-th frame of a video that has an end; the frames between are not decoded to pixels.

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
