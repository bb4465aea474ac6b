"""ultralytics' messages and bars on standard error: standard output carries only what was asked for."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def talk_on_stderr() -> Iterator[None]:
    """Lead to standard error, inside the block, what ultralytics prints and logs; it must be imported already."""
    from ultralytics.utils import LOGGER

    handlers = [handler for handler in LOGGER.handlers if isinstance(handler, logging.StreamHandler)]
    before = [handler.setStream(sys.stderr) for handler in handlers]
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            if stream is not None:  # it was another one
                handler.setStream(stream)
