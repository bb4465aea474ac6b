"""A worker thread for actions, so that a slow command never holds up the frames."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final

from maskdet.alerts.actions import Action, ActionError
from maskdet.alerts.rules import Alert

#: Alerts that may wait for their turn. More would be told too late to be of use.
WAITING: Final = 4

#: Seconds that the end of a run waits for actions still going on.
JOIN_SECONDS: Final = 10.0


class AlertWorker:
    """Does every action for every alert, in order, in a thread of its own."""

    def __init__(self, actions: Sequence[Action], note: Callable[[str], None], *, waiting: int = WAITING) -> None:
        """Get ready; the thread starts with the first alert.

        Args:
            actions: what to do about each alert, one after another; a failing one costs the others nothing.
            note: is told, in one line, what failed and what was dropped; called from either thread.
            waiting: alerts that may wait.
        """
        self._actions, self._note = actions, note
        # One place more than alerts may take, so that there is always room for the word that ends the thread.
        self._queue: queue.Queue[Alert | None] = queue.Queue(waiting + 1)
        self._waiting = waiting
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="maskdet-alerts", daemon=True)

    def submit(self, alert: Alert) -> bool:
        """Hand an alert over at once; where too many wait it is dropped, with a note, and False returned."""
        if self._queue.qsize() >= self._waiting:
            self._note(f"dropped, as {self._waiting} others still wait: {alert}")
            return False
        if self._thread.ident is None:
            self._thread.start()
        self._queue.put_nowait(alert)
        return True

    def close(self, seconds: float = JOIN_SECONDS) -> None:
        """Let the waiting alerts be done with, for at most ``seconds``; what then still waits is dropped, with a note.

        A command that still runs is left to end by itself.
        """
        if self._thread.ident is None:
            return
        self._queue.put_nowait(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._stop.set()
            left = self._queue.qsize() - 1
            self._note(f"alerts: the last one was still going on after {seconds:g} seconds, {left} more were dropped")

    def _work(self) -> None:
        while (alert := self._queue.get()) is not None and not self._stop.is_set():
            for action in self._actions:
                try:
                    action(alert)
                except ActionError as error:
                    self._note(f"alert: {error}")
