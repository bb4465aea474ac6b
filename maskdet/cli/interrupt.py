"""Ctrl-C and SIGTERM: they end a run cleanly, and never in the middle of a result."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

#: SIGTERM is how services and containers are stopped.
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """While entered, both signals raise ``KeyboardInterrupt`` in the main thread, inside ``held`` only at its end.

    Elsewhere than in the main thread, where no handler may be set, nothing changes.
    """

    def __init__(self) -> None:
        """Prepare; handlers are set on entering."""
        self._held = self._waiting = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        """Set the handlers."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Put the former handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what is inside be done to its end first."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._waiting:
            self._waiting = False
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: object) -> None:
        if self._held and not self._waiting:
            self._waiting = True
            return
        # The second one does not wait: what is written to may be stuck.
        raise KeyboardInterrupt
