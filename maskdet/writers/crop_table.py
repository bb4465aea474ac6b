"""The table that people read after ``maskdet classify``: one line a crop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maskdet.classes import CLASS_NAMES
from maskdet.results import MaskResult
from maskdet.terminal.console import cell, console
from maskdet.writers.fitting import add_class_columns, class_label, class_style, layout, print_fitting

if TYPE_CHECKING:
    from rich.table import Table


def print_crops(results: Sequence[MaskResult]) -> None:
    """Print each crop's class and the probability of every class, then how many there are of each.

    Args:
        results: as ``MaskClassifier.predict_batch`` gives them.
    """
    if not results:
        return
    screen = console()
    print_fitting(screen, lambda narrow: _table(results, narrow))
    counts = [sum(result.counts[name] for result in results) for name in CLASS_NAMES]
    parts = ", ".join(f"{count} {name}" for count, name in zip(counts, CLASS_NAMES, strict=True) if count)
    screen.print(f"{len(results)} crop{'' if len(results) == 1 else 's'}: {parts}")


def _table(results: Sequence[MaskResult], narrow: bool) -> Table:
    from rich.table import Table

    table = Table(**layout(narrow))
    table.add_column("crop", overflow="fold")
    table.add_column("class", no_wrap=True)
    add_class_columns(table, CLASS_NAMES, narrow)
    table.add_column("ms", justify="right", no_wrap=True)
    for result in results:
        (face,) = result.faces
        probabilities = (face.classifier or {})["probabilities"].values()
        shares = [f"{probability:.3f}" for probability in probabilities]
        path = cell(result.image.path)
        label = f"[{class_style(face.class_id, face.name)}]{cell(class_label(face.name, narrow))}[/]"
        table.add_row(path, label, *shares, f"{result.time_ms:.1f}")
    return table
