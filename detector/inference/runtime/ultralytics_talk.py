"""ultralytics' messages and bars on standard error: standard output carries only what was asked for."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO


@contextmanager
def talk_on_stderr() -> Iterator[None]:
    """Lead to standard error, inside the block, what ultralytics prints and logs; it must be imported already."""
    from ultralytics.utils import LOGGER

    handlers = [handler for handler in LOGGER.handlers if isinstance(handler, logging.StreamHandler)]
    before = [_lead(handler, sys.stderr) for handler in handlers]
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            handler.setStream(stream)


def _lead(handler: logging.StreamHandler[Any], stream: TextIO) -> Any:
    """Let a handler write to a stream and return the one it had, which may be closed: ``setStream`` would flush it."""
    before = handler.stream
    if getattr(before, "closed", False):
        handler.stream = stream
    else:
        handler.setStream(stream)
    return before
