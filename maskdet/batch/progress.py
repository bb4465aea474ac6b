"""How far a run is: a bar for people, a line now and then for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from maskdet.batch.shard import ShardReport
from maskdet.terminal.console import say
from maskdet.terminal.progress import ProgressBar

#: Seconds between two lines where nobody watches.
_EVERY: Final = 30.0

#: Errors that are told by name; all stand in the rows, and in ``errors.jsonl`` at the end.
_TOLD: Final = 10


class Progress:
    """Counts files between entering and leaving, and tells of the first errors by name."""

    def __init__(
        self, files: int, *, quiet: bool = False, by_shard: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Expect so many files.

        Args:
            files: that are left to be done.
            quiet: tell of errors only.
            by_shard: ``tick`` is not called, so that whole shards are counted.
            clock: seconds.
        """
        self._files, self._by_shard, self._clock = files, by_shard, clock
        self._quiet = quiet
        self._bar = ProgressBar("batch", total=files, quiet=quiet)
        self._done = self._failed = self._told = 0
        self._begun = self._last = clock()

    def __enter__(self) -> Self:
        """Draw the bar, where somebody watches."""
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        self._bar.__exit__(kind, error, trace)

    def tick(self, failed: bool) -> None:
        """Count one file."""
        self._count(1, int(failed))

    def report(self, shard: ShardReport) -> None:
        """Take the report of a shard."""
        for error in shard.errors[: max(_TOLD - self._told, 0)]:
            say(f"error: {error}")
        before, self._told = self._told, self._told + shard.failed
        if before <= _TOLD < self._told:
            say("note: further errors are in the rows, and in errors.jsonl at the end")
        if shard.broken is not None:
            say(f"error: shard {shard.shard}: {shard.broken}")
        if self._by_shard:
            self._count(shard.files, shard.failed)

    def _count(self, files: int, failed: int) -> None:
        self._done += files
        self._failed += failed
        self._bar.label = f"batch, {self._failed:,} errors" if self._failed else "batch"
        self._bar.advance(files)
        now = self._clock()
        if now - self._last >= _EVERY and not self._quiet and not sys.stderr.isatty():
            self._last = now
            say(self.line())

    def line(self) -> str:
        """Return where the run is, as a log shows it."""
        seconds = self._clock() - self._begun
        rate = self._done / seconds if seconds > 0 else 0.0
        left = _time((self._files - self._done) / rate) if rate else "unknown"
        share = self._done / self._files if self._files else 1.0
        errors = f"{self._failed:,} {'error' if self._failed == 1 else 'errors'}"
        return f"batch: {self._done:,} of {self._files:,} ({share:.0%}), {rate:.1f}/s, {errors}, {left} left"


def _time(seconds: float) -> str:
    """Return a length of time.

    >>> _time(59), _time(3700), _time(200_000)
    ('59 s', '1 h 1 min', '2 d 7 h')
    """
    whole = round(seconds)
    for size, name, below, below_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // below} {below_name}"
    return f"{whole} s"
