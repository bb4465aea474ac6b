"""A section as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maskdet.benchmark.machine import Machine
from maskdet.benchmark.section import Column, Row, Section
from maskdet.console import cell, console

if TYPE_CHECKING:
    from rich.table import Table


def print_section(section: Section, machine: Machine) -> None:
    """Print the machine, the table and its notes."""
    screen = console()
    screen.print(cell(machine.title), style="dim")
    screen.print(section_table(section))
    for row in section.rows:
        if row.note and not _is_short(row.note):
            screen.print(f"{row.name}: {cell(row.note)}")
    for note in section.notes:
        screen.print(cell(note), style="dim")
    screen.print()


def section_table(section: Section) -> Table:
    """Return the table: a line a row, a column a figure, with the target in the heading."""
    from rich.table import Table

    table = Table(title=cell(section.title), title_justify="left", title_style="bold")
    table.add_column("", no_wrap=True)
    for column in section.columns:
        target = f"\ntarget {column.target}" if column.target else ""
        table.add_column(column.heading + target, justify="right")
    for row in section.rows:
        table.add_row(row.name, *cells(row, section.columns))
    return table


def cells(row: Row, columns: tuple[Column, ...]) -> list[str]:
    """Return the cells of a row: each figure with its column's decimals, a dash where there is none.

    >>> cells(Row("a", {"s": 2.345}), (Column("s", "s", 1), Column("mb", "MB")))
    ['2.3', '–']
    >>> cells(Row("a", note="not installed"), (Column("s", "s"), Column("mb", "MB")))
    ['not installed', '–']
    """
    if row.note:
        return [row.note if _is_short(row.note) else "failed", *("–" for _ in columns[1:])]
    values = ((row.figures.get(column.key), column.decimals) for column in columns)
    return ["–" if value is None else f"{value:,.{decimals}f}" for value, decimals in values]


def _is_short(note: str) -> bool:
    return len(note) <= 20
