"""Leaving Python's garbage collector out of the start and the end of a process, where it finds nothing."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
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


def end_without_collecting() -> None:
    """Spare the interpreter its last collections, which free what the system takes back with the process anyway."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
