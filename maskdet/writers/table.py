"""The table that people read: faces of one picture, or one line a picture for many."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from maskdet.classes import CLASS_NAMES
from maskdet.results import MaskResult

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STYLES = ("green", "red", "yellow")

#: Width where standard output is a file or a pipe, wide enough for a long path.
_PIPE_WIDTH = 160


def console() -> Console:
    """Return a console on standard output that does not squeeze tables when piped."""
    from rich.console import Console

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(width=width, highlight=False, soft_wrap=False)


def print_results(results: Sequence[MaskResult]) -> None:
    """Print faces one by one for a single picture, a summary line each for several."""
    if not results:
        return
    screen = console()
    screen.print(_faces_table(results[0]) if len(results) == 1 else _pictures_table(results))
    counts = [sum(result.counts[name] for result in results) for name in CLASS_NAMES]
    faces = sum(counts)
    share = f", {counts[0] / faces:.0%} wear a mask properly" if faces else ""
    many = f" in {len(results)} pictures" if len(results) > 1 else ""
    screen.print(f"{faces} face{'' if faces == 1 else 's'}{many}{share}")


def _faces_table(result: MaskResult) -> Table:
    from rich.table import Table

    title = f"{result.image.path or 'picture'}  {result.image.width}×{result.image.height}  {result.time_ms:.0f} ms"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("#", justify="right")
    table.add_column("class", no_wrap=True)
    table.add_column("confidence", justify="right")
    table.add_column("box x1, y1, x2, y2 (px)", no_wrap=True)
    for number, face in enumerate(result.faces, 1):
        box = ", ".join(f"{value:.0f}" for value in face.box)
        table.add_row(str(number), face.name, f"{face.confidence:.2f}", box, style=_STYLES[face.class_id])
    return table


def _pictures_table(results: Sequence[MaskResult]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    table.add_column("picture", overflow="fold")
    for name, style in zip(CLASS_NAMES, _STYLES, strict=True):
        table.add_column(name, justify="right", style=style, no_wrap=True)
    table.add_column("compliance", justify="right")
    table.add_column("ms", justify="right")
    for result in results:
        compliance = "–" if result.compliance is None else f"{result.compliance:.0%}"
        counts = [str(count) if count else "·" for count in result.counts.values()]
        table.add_row(escape(str(result.image.path)), *counts, compliance, f"{result.time_ms:.0f}")
    return table
