"""``AlertMonitor``: results go in, and where a rule holds, its alert goes out.

A rule that goes on holding is told once, not with every frame: that is its cool-down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from maskdet.alerts import Alert, Rule
from maskdet.alerts.actions import JOIN_SECONDS, Action, AlertWorker
from maskdet.results import MaskResult

#: Seconds during which a rule that was told stays silent.
DEFAULT_COOLDOWN: Final = 60.0


class AlertMonitor:
    """Watches results for rules; a context manager, so that the last actions are waited for."""

    def __init__(
        self,
        rules: Sequence[Rule],
        actions: Sequence[Action],
        note: Callable[[str], None],
        *,
        cooldown: float = DEFAULT_COOLDOWN,
        clock: Callable[[], float] = time.monotonic,
        join_seconds: float = JOIN_SECONDS,
    ) -> None:
        """Start watching.

        Args:
            rules: each with a cool-down of its own.
            actions: done for each alert, in a thread; without any, ``note`` is told of the alert itself.
            note: takes one line for people: an alert without actions, or an action that failed or was dropped.
            cooldown: seconds of ``clock`` during which a rule that was told stays silent.
            clock: seconds that never go back.
            join_seconds: how long the end waits for actions still going on.

        Raises:
            ValueError: a negative cool-down.
        """
        if not cooldown >= 0:
            raise ValueError(f"a cool-down cannot be {cooldown} seconds")
        self._rules, self._note = rules, note
        self._cooldown, self._clock = cooldown, clock
        self._told: dict[Rule, float] = {}
        self._join_seconds = join_seconds
        self._worker = AlertWorker(actions, note) if actions else None

    def __enter__(self) -> Self:
        """Return the monitor."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the last actions, for a limited time; not at all for somebody who interrupts."""
        if isinstance(error, KeyboardInterrupt):
            self._join_seconds = 0
        self.close()

    def check(self, result: MaskResult) -> list[Alert]:
        """Look at one result, start the actions of every rule that holds and is not cooling down, and return these."""
        alerts = []
        for rule in self._rules:
            value = rule.value(result)
            if value is not None and rule.holds(result) and self._ready(rule):
                # Without its picture: alerts may wait, and a frame is megabytes.
                alerts.append(Alert(rule, value, result.without_pixels()))
        for alert in alerts:
            if self._worker:
                self._worker.submit(alert)
            else:
                self._note(str(alert))
        return alerts

    def _ready(self, rule: Rule) -> bool:
        """Whether a rule may be told now; if so it is noted that it is."""
        now = self._clock()
        if rule in self._told and now - self._told[rule] < self._cooldown:
            return False
        self._told[rule] = now
        return True

    def close(self) -> None:
        """Wait for the last actions, for a limited time."""
        if self._worker:
            self._worker.close(self._join_seconds)
            self._worker = None
