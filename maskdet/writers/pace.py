"""Videos of one rate, written by OpenCV: each frame as often as it takes to hold it as long as it was shown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

#: Endings that OpenCV writes, with codecs that all of its wheels have: H.264 is not among them.
CODECS: Final = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}

#: Frames whose times choose the rate of the copy: so many, as far as they take no more than so many bytes.
_FIRST_FRAMES, _FIRST_BYTES = 12, 64_000_000

#: Bytes of a frame that may wait for the time of the next one: one of 4K. Larger ones are written once each.
_LARGEST_HELD: Final = 30_000_000

#: Frames a second of a copy at most, unless the video itself has more.
_HIGHEST_RATE: Final = 60.0

#: By how much of itself, and by how many seconds, a constant interval may seem to vary: containers round.
_JITTER, _JITTER_SECONDS = 0.1, 0.0015

#: Copies written for the sake of time alone: so many, and so many more for each frame. A longer pause is shortened.
_SPARE, _SPARE_EACH = 3000, 10

Image = npt.NDArray[np.uint8]


class OpenCvEncoder:
    """Writes frames as copies at one rate. All methods raise ``OSError`` where there is no encoder."""

    def __init__(self, path: Path, *, fps: float, size: tuple[int, int], live: bool) -> None:
        """Write ``path``, whose ending tells the container, from the moment that the rate is known.

        OpenCV leaves out an odd last column or row. ``live``: a frame that comes late is written so often that the
        recording keeps the time.
        """
        self._path, self._fps, self._size, self._live = path, fps, size, live
        self._writer: cv2.VideoWriter | None = None
        self._pace: Pace | None = None
        self._waiting: list[tuple[Image, float]] = []
        self._last: float | None = None
        self._owed = 0.0

    def write(self, frame: Image, seconds: float | None) -> None:
        """Write one frame, (H, W, 3) uint8 BGR, that comes at ``seconds``."""
        if self._live or seconds is None or frame.nbytes > _LARGEST_HELD:
            writer = self._open(self._fps)
            for _ in range(self._copies(seconds)):
                writer.write(frame)
            return
        self._waiting.append((frame, seconds))
        if self._pace is not None or len(self._waiting) >= max(2, min(_FIRST_FRAMES, _FIRST_BYTES // frame.nbytes)):
            self._write_waiting()

    def _copies(self, seconds: float | None) -> int:
        """Return how often this frame is written so that a recording keeps the time."""
        last, self._last = self._last, seconds
        if not self._live or seconds is None or last is None:
            return 1
        self._owed += (seconds - last) * self._fps
        copies = int(self._owed + 1e-6)  # 0.5 s at 10 frames a second may come as 4.999999
        self._owed -= copies
        return copies

    def _write_waiting(self) -> None:
        """Write all frames whose next one is there."""
        if self._pace is None:
            rate = choose_rate([seconds for _, seconds in self._waiting], self._fps)
            self._open(rate)
            self._pace = Pace(rate, self._fps)
        writer = self._open(self._fps)
        while len(self._waiting) > 1:
            (frame, seconds), (_, following) = self._waiting[:2]
            for _ in range(self._pace.copies(following - seconds)):
                writer.write(frame)
            del self._waiting[0]

    def _open(self, fps: float) -> cv2.VideoWriter:
        """Return the encoder, made with this rate where there is none yet."""
        if self._writer is None:
            codec = cv2.VideoWriter.fourcc(*CODECS[self._path.suffix.lower()])
            # MPEG-4 counts time in at most 65535 parts, and OpenCV takes as many decimals as the number has.
            rate = round(fps, 3 if fps < 65 else 2)
            self._writer = cv2.VideoWriter(str(self._path.absolute()), codec, rate, self._size)
            if not self._writer.isOpened():
                raise OSError(0, "this OpenCV has no encoder for it")
        return self._writer

    def finish(self, *, complete: bool) -> None:
        """Write what waits, and the index; ``complete`` tells nothing here, where the source's end is not known."""
        if self._waiting:
            self._write_waiting()
            self._open(self._fps).write(self._waiting[0][0])
        self._open(self._fps).release()

    def abandon(self) -> None:
        """Close the file as it is."""
        if self._writer is not None:
            self._writer.release()


def choose_rate(times: Sequence[float], fps: float) -> float:
    """Return the frames a second of a copy that can show each frame at its time, of those given in seconds.

    ``fps`` is what the file tells: its rate, or the mean of a rate that varies.

    >>> choose_rate([0, 0.04, 0.08], 25)
    25
    >>> round(choose_rate([0, 0.1, 0.2, 5], 1.15), 6)
    10.0
    """
    steps = [after - before for before, after in itertools.pairwise(times) if 0 < after - before < math.inf]
    if all(abs(step - 1 / fps) <= max(_JITTER / fps, _JITTER_SECONDS) for step in steps):
        return fps
    return min(max(1 / min(steps), fps), max(fps, _HIGHEST_RATE))


class Pace:
    """Counts the copies of each frame, once the time of the next one is known."""

    def __init__(self, rate: float, fps: float) -> None:
        """Begin with the first frame of a copy of this rate; ``fps`` is for times that are missing or run backwards."""
        self._rate, self._usual = rate, 1 / fps
        self._elapsed, self._written, self._spare = 0.0, 0, _SPARE

    def copies(self, seconds: float) -> int:
        """Return how often the present frame is written, ``seconds`` before the next one."""
        self._spare += _SPARE_EACH
        step = seconds if 0 < seconds < math.inf else self._usual
        self._elapsed += min(step, (1 + self._spare) / self._rate)
        copies = max(round(self._elapsed * self._rate) - self._written, 0)
        self._written += copies
        self._spare -= max(copies - 1, 0)
        return copies
