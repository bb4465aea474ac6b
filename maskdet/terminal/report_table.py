"""The tables of measured figures, without lines between their columns, and how a figure stands in a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maskdet.statistics.figures import three_decimals
from maskdet.terminal.console import cell

if TYPE_CHECKING:
    from rich.padding import PaddingDimensions
    from rich.table import Table

    from maskdet.statistics.figures import Figure, FoldFigure


def report_table(title: str | None = None, *, padding: PaddingDimensions = (0, 1)) -> Table:
    """Return an empty table under a title; ``padding`` is rich's, around each cell."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(
        title=None if title is None else cell(title),
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=padding,
    )


def padding_for(width: int) -> tuple[int, int]:
    """Return the padding with which a table of six or seven figures fits ``width`` columns, 80 of them too."""
    return (0, 1) if width >= 100 else (0, 0)


def figure_cell(figure: Figure, *, dim: bool = False) -> str:
    """Return a figure and its interval, or a dash; with ``dim`` the interval stands back, in rich's markup.

    >>> from maskdet.statistics.figures import Figure
    >>> figure_cell(Figure(0.9631, 0.9512, 0.9844)), figure_cell(Figure(None))
    ('0.963 (.95–.98)', '–')
    >>> figure_cell(Figure(0.9631, 0.9512, 0.9844), dim=True)
    '0.963 [dim](.95–.98)[/dim]'
    """
    return figure.written(three_decimals, _end, frame="[dim]({}–{})[/dim]" if dim else "({}–{})")


def fold_cell(figure: FoldFigure) -> str:
    """Return the mean of the folds, their standard deviation and its interval, or a dash.

    >>> from maskdet.statistics.figures import Figure, FoldFigure
    >>> fold_cell(FoldFigure(folds=(0.8, 0.9), mean=Figure(0.85, 0.7912, 0.9), sd=0.0707))
    '0.850 ± 0.071 (.79–.90)'
    >>> fold_cell(FoldFigure(folds=(None, None), mean=Figure(None), sd=None))
    '–'
    """
    spread = "" if figure.sd is None else f" ± {figure.sd:.3f}"
    return figure.mean.written(lambda value: three_decimals(value) + spread, _end)


def _end(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")
