"""Cool-down: a rule that goes on holding is told once, not with every frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final

#: Seconds during which a rule that was told stays silent.
DEFAULT_COOLDOWN: Final = 60.0


class CoolDown:
    """Remembers when each thing last happened.

    >>> now = iter([100.0, 130.0, 160.0])
    >>> rest = CoolDown(60, clock=lambda: next(now))
    >>> [rest.ready("a"), rest.ready("a"), rest.ready("a")]
    [True, False, True]
    """

    def __init__(self, seconds: float = DEFAULT_COOLDOWN, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Let each thing happen once in ``seconds`` by ``clock``, which must never go back.

        Raises:
            ValueError: negative seconds.
        """
        if not seconds >= 0:
            raise ValueError(f"a cool-down cannot be {seconds} seconds")
        self._seconds, self._clock = seconds, clock
        self._last: dict[Hashable, float] = {}

    def ready(self, key: Hashable) -> bool:
        """Say whether ``key`` may happen now, and if so note that it does."""
        now = self._clock()
        last = self._last.get(key)
        if last is not None and now - last < self._seconds:
            return False
        self._last[key] = now
        return True
