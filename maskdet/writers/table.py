"""The table that people read: faces of one picture, or one line a picture for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from maskdet.results import MaskResult, count_compliant, sum_counts
from maskdet.terminal.console import cell, console, named_errors
from maskdet.writers.fitting import add_class_columns, class_label, class_style, layout, print_fitting

#: Classes that all have a column, met or not.
MOST_COLUMNS: Final = 6

if TYPE_CHECKING:
    from rich.table import Table


def print_results(results: Sequence[MaskResult]) -> None:
    """Print faces one by one for a single picture, a summary line each for several."""
    if not results:
        return
    screen = console()
    counts, share = _total(results)
    faces = sum(counts.values())
    many = f" in {len(results)} pictures" if len(results) > 1 else ""
    proper = "" if share is None else f", {share:.0%} wear a mask properly"
    shown = counts if len(counts) <= MOST_COLUMNS else {name: count for name, count in counts.items() if count}
    each = ", ".join(f"{count} {name}" for name, count in shown.items())
    with named_errors("-"):
        if len(results) == 1:
            print_fitting(screen, lambda narrow: _faces_table(results[0], narrow))
        else:
            print_fitting(screen, lambda narrow: _pictures_table(results, narrow))
        screen.print(f"{faces} face{'' if faces == 1 else 's'}{many}{proper}" + (f": {each}" if faces else ""))


def _total(results: Sequence[MaskResult]) -> tuple[dict[str, int], float | None]:
    """Return the faces of each class over all pictures, and the share that complies; None where nothing says so."""
    counts = sum_counts(result.counts for result in results)
    compliant, faces = count_compliant(counts), sum(counts.values())
    return counts, None if compliant is None or not faces else compliant / faces


def _faces_table(result: MaskResult, narrow: bool) -> Table:
    from rich.table import Table

    image = result.image
    title = f"{cell(image.path or 'picture')}  {image.width}×{image.height}  {result.time_ms:.0f} ms"
    table = Table(title=title, title_justify="left", title_style="bold", **layout(narrow))
    table.add_column("#", justify="right")
    table.add_column("class", overflow="fold", no_wrap=not narrow)
    table.add_column("conf." if narrow else "confidence", justify="right")
    table.add_column("box x1, y1, x2, y2 (px)", no_wrap=True)
    for number, face in enumerate(result.faces, 1):
        box = ", ".join(f"{value:.0f}" for value in face.box)
        label = cell(class_label(face.name, narrow))
        table.add_row(str(number), label, f"{face.confidence:.2f}", box, style=class_style(face.class_id, face.name))
    return table


def _pictures_table(results: Sequence[MaskResult], narrow: bool) -> Table:
    from rich.table import Table

    counts, share = _total(results)
    table = Table(show_footer=True, **layout(narrow))
    table.add_column("picture", f"{len(results)} pictures", overflow="fold")
    # Of many classes those that were met have a column.
    names = [name for name, count in counts.items() if count or len(counts) <= MOST_COLUMNS]
    add_class_columns(table, names, narrow, [str(counts[name]) for name in names])
    table.add_column("faces", str(sum(counts.values())), justify="right", no_wrap=True)
    table.add_column("compl." if narrow else "compliance", _percent(share), justify="right", no_wrap=True)
    table.add_column("ms", f"{sum(result.time_ms for result in results):.0f}", justify="right", no_wrap=True)
    for result in results:
        row = [str(count) if count else "·" for count in (*map(result.counts.__getitem__, names), len(result.faces))]
        table.add_row(cell(result.image.path), *row, _percent(result.compliance), f"{result.time_ms:.0f}")
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
