"""The start and the end of a process, without work that changes nothing."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Import and load without the garbage collector.

    Modules make hundreds of thousands of objects that stay; every few thousand of them the collector would walk through
    all that there are.

    >>> with collector_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def end_at_once(status: Callable[[], int]) -> None:
    """Let the process end without the interpreter's last tidying, which frees what the system takes back with it.

    Everything registered at exit from now on still runs first, and output is flushed.

    Args:
        status: the exit code, asked for at the end.
    """

    def leave() -> None:
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except (OSError, ValueError):
            return  # the interpreter says what became of the output, in its own way and with its own exit code
        os._exit(status())

    atexit.register(leave)
