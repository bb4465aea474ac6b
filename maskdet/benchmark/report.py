"""The report: a section as a table for people, and the whole as one ``maskdet-benchmark/1`` object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from maskdet.benchmark.measuring.machine import Machine
from maskdet.benchmark.measuring.section import Column, Row, Section
from maskdet.terminal.console import cell, console

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


SCHEMA: Final = "maskdet-benchmark/1"


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What a benchmark found.

    Attributes:
        command: that makes it again.
        machine: what it ran on.
        runs: rounds; figures are medians over them.
        sections: in the order they were run.
    """

    command: str
    machine: Machine
    runs: int
    sections: Sequence[Section]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "machine": self.machine.to_dict(),
            "runs": self.runs,
            "sections": [section.to_dict() for section in self.sections],
        }
