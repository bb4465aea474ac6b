"""How long each frame of a video is shown, counted in frames of a copy that has one rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final

#: Frames a second of a copy at most, unless the video itself has more.
_HIGHEST_RATE: Final = 60.0

#: By how much of itself, and by how many seconds, a constant interval may seem to vary: containers round.
_JITTER, _JITTER_SECONDS = 0.1, 0.0015

#: Copies written for the sake of time alone: so many, and so many more for each frame. A longer pause is shortened.
_SPARE, _SPARE_EACH = 3000, 10


def choose_rate(times: Sequence[float], fps: float) -> float:
    """Return the frames a second of a copy that can show each of these frames at its time.

    Args:
        times: seconds from the beginning, of the first frames.
        fps: what the file tells: its rate, or the mean of a rate that varies.

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
        """Begin with the first frame.

        Args:
            rate: frames a second of the copy.
            fps: of the video, for times that are missing or run backwards.
        """
        self._rate, self._usual = rate, 1 / fps
        self._elapsed, self._written, self._spare = 0.0, 0, _SPARE

    def copies(self, seconds: float) -> int:
        """Return how often the present frame is written.

        Args:
            seconds: from it to the next one.
        """
        self._spare += _SPARE_EACH
        step = seconds if 0 < seconds < math.inf else self._usual
        self._elapsed += min(step, (1 + self._spare) / self._rate)
        copies = max(round(self._elapsed * self._rate) - self._written, 0)
        self._written += copies
        self._spare -= max(copies - 1, 0)
        return copies
