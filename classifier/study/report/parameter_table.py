"""The study's networks as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maskdet.terminal.console import console
from maskdet.terminal.report_table import report_table

if TYPE_CHECKING:
    from maskdet.classifier.networks.parameters import ParameterRow


def print_parameters(rows: Sequence[ParameterRow]) -> None:
    """Print name, input and parameters of each network, and why Keras counts otherwise."""
    table = report_table()
    table.add_column("network", no_wrap=True)
    table.add_column("input", no_wrap=True)
    for label in ("parameters", "trainable", "as Keras counts", "printed"):
        table.add_column(label, justify="right")
    for row in rows:
        counts = (row.total, row.trainable, row.keras_total, row.printed_total)
        table.add_row(row.name, row.input, *(f"{count:,}" for count in counts))
    screen = console()
    screen.print(table)
    for row in rows:
        if row.explanation:
            screen.print(f"{row.name}: {row.explanation}", markup=False, highlight=False)
