"""The table that people read: faces of one picture, or one line a picture for many."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from maskdet.classes import CLASS_NAMES
from maskdet.results import MaskResult
from maskdet.writers.lines import named_errors

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STYLES = ("green", "red", "yellow")

#: Width where standard output is a file or a pipe, wide enough for a long path.
_PIPE_WIDTH = 160


def console() -> Console:
    """Return a console on standard output that does not squeeze tables when piped."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            """Let the caller decide: rich would exit with 1."""
            raise BrokenPipeError

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_WIDTH
    return Screen(width=width, highlight=False, soft_wrap=False, emoji=False)


def print_results(results: Sequence[MaskResult]) -> None:
    """Print faces one by one for a single picture, a summary line each for several."""
    if not results:
        return
    screen = console()
    counts, share = _total(results)
    faces = sum(counts)
    many = f" in {len(results)} pictures" if len(results) > 1 else ""
    proper = "" if share is None else f", {share:.0%} wear a mask properly"
    each = ", ".join(f"{count} {name}" for count, name in zip(counts, CLASS_NAMES, strict=True))
    with named_errors("-"):
        screen.print(_faces_table(results[0]) if len(results) == 1 else _pictures_table(results))
        screen.print(f"{faces} face{'' if faces == 1 else 's'}{many}{proper}" + (f": {each}" if faces else ""))


def _total(results: Sequence[MaskResult]) -> tuple[list[int], float | None]:
    """Return the faces of each class over all pictures, and the share that complies; None where there is no face."""
    counts = [sum(result.counts[name] for result in results) for name in CLASS_NAMES]
    return counts, counts[0] / sum(counts) if any(counts) else None


def _faces_table(result: MaskResult) -> Table:
    from rich.markup import escape
    from rich.table import Table

    image = result.image
    title = f"{escape(image.path or 'picture')}  {image.width}×{image.height}  {result.time_ms:.0f} ms"
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

    counts, share = _total(results)
    table = Table(show_footer=True)
    table.add_column("picture", f"{len(results)} pictures", overflow="fold")
    for name, count, style in zip(CLASS_NAMES, counts, _STYLES, strict=True):
        table.add_column(name, str(count), justify="right", style=style, no_wrap=True)
    table.add_column("faces", str(sum(counts)), justify="right")
    table.add_column("compliance", _percent(share), justify="right", no_wrap=True)
    table.add_column("ms", f"{sum(result.time_ms for result in results):.0f}", justify="right")
    for result in results:
        row = [str(count) if count else "·" for count in (*result.counts.values(), len(result.faces))]
        table.add_row(escape(str(result.image.path)), *row, _percent(result.compliance), f"{result.time_ms:.0f}")
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
