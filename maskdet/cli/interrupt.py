"""Ctrl-C, SIGTERM and SIGHUP: they end a run cleanly, and never in the middle of a result."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

#: SIGTERM is how services and containers are stopped, SIGHUP comes when a terminal is closed. Windows has no SIGHUP.
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupt:
    """While entered, each signal raises ``KeyboardInterrupt`` in the main thread, inside ``held`` only at its end.

    A SIGHUP or SIGTERM that is ignored stays so, as under ``nohup``. Elsewhere than in the main thread, where no
    handler may be set, nothing changes.

    Attributes:
        came: there was a signal, whatever became of the exception: libraries turn it into their own.
    """

    def __init__(self) -> None:
        """Prepare; handlers are set on entering."""
        self.came = False
        self._held = self._waiting = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        """Set the handlers."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        """Put the former handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

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

    def leave_with(self, code: int) -> None:
        """Let any further signal end the process at once: all is done, and threads may still be waited for."""
        for number in self._before:
            signal.signal(number, lambda *_: os._exit(code))
        self._before = {}

    def _handle(self, number: int, frame: object) -> None:
        again, self.came = self.came, True
        if again and number != signal.SIGINT:
            return  # systems send several at once, and what runs now may be what cleans up
        if self._held and not self._waiting:
            self._waiting = True
            return
        # The second Ctrl-C does not wait: what is written to may be stuck.
        raise KeyboardInterrupt
