"""A progress bar on standard error, shown only to people: on a terminal, and not with ``quiet``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

T = TypeVar("T")


class ProgressBar:
    """Count, speed and time left, drawn between entering and leaving; without a total only count and speed."""

    def __init__(self, label: str, *, total: int | None = None, quiet: bool = False) -> None:
        self.label, self.total = label, total
        self._hidden = quiet or not sys.stderr.isatty()
        self._bar: Progress | None = None
        self._task: TaskID

    def __enter__(self) -> Self:
        if self._hidden:
            return self
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task(self.label, total=self.total, rate="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, steps: int = 1) -> None:
        """Count ``steps`` more as done."""
        if self._bar is not None:
            task = self._bar.tasks[0]
            task.total = self.total  # update() cannot take a total back
            speed = task.speed
            rate = "" if not speed else f"{speed:.0f}/s" if speed >= 10 else f"{speed:.1f}/s"
            self._bar.update(self._task, advance=steps, rate=rate, description=self.label)


def track(items: Iterable[T], *, label: str, total: int | None = None, quiet: bool = False) -> Iterator[T]:
    """Yield ``items`` while a bar with count, speed and time left is drawn on standard error, unless ``quiet``.

    ``total`` says how many there are where ``len(items)`` cannot.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with ProgressBar(label, total=total, quiet=quiet) as bar:
        for item in items:
            yield item
            bar.advance()
