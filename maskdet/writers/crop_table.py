"""The table that people read after ``maskdet classify``: one line a crop."""

from __future__ import annotations

from collections.abc import Sequence

from maskdet.classes import CLASS_NAMES
from maskdet.results import MaskResult
from maskdet.writers.table import console

#: Of each class, by class id.
_STYLES = ("green", "red", "yellow")


def print_crops(results: Sequence[MaskResult]) -> None:
    """Print each crop's class and the probability of every class, then how many there are of each.

    Args:
        results: as ``MaskClassifier.predict_batch`` gives them.
    """
    if not results:
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    table.add_column("crop", overflow="fold")
    table.add_column("class", no_wrap=True)
    for name, style in zip(CLASS_NAMES, _STYLES, strict=True):
        table.add_column(name, justify="right", style=style, no_wrap=True)
    table.add_column("ms", justify="right")
    for result in results:
        (face,) = result.faces
        probabilities = (face.classifier or {})["probabilities"].values()
        shares = [f"{probability:.3f}" for probability in probabilities]
        path = escape(str(result.image.path))
        table.add_row(path, f"[{_STYLES[face.class_id]}]{face.name}[/]", *shares, f"{result.time_ms:.1f}")
    screen = console()
    screen.print(table)
    counts = [sum(result.counts[name] for result in results) for name in CLASS_NAMES]
    parts = ", ".join(f"{count} {name}" for count, name in zip(counts, CLASS_NAMES, strict=True) if count)
    screen.print(f"{len(results)} crop{'' if len(results) == 1 else 's'}: {parts}")
