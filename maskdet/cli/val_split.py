"""``maskdet val`` on one split: the figures as two tables, JSON and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.cli.report_output import to_json, write_text
from maskdet.console import console
from maskdet.writers.report_table import figure_cell, padding_for, report_table, three_decimals

if TYPE_CHECKING:
    from rich.table import Table

    from maskdet.detector.val_report import ValReport


def write(report: ValReport, json_target: str | None, folder: Path | None) -> None:
    """Write the JSON and the pictures that were asked for.

    Raises:
        SourceError: a file cannot be written.
    """
    from maskdet.writers.atomic import write_bytes

    text = to_json(report.to_dict(), indent=2)
    write_text(text, json_target)
    if folder:
        from maskdet.detector.score_plots import save_plots

        save_plots(report, folder)
        write_bytes(folder / "val.json", text.encode())


def print_report(report: ValReport) -> None:
    """Print the figures as two tables."""
    screen = console()
    screen.print(_figures_table(report, screen.width))
    screen.print("In brackets the 95 % interval; P, R and F1 as `maskdet detect` reports.\n", markup=False)
    screen.print(_confusion_table(report, screen.width))


def _figures_table(report: ValReport, width: int) -> Table:
    from maskdet.classes import CLASS_NAMES

    photos = f"{report.photos} photo{'' if report.photos == 1 else 's'}"
    title = f"{report.model}, {report.imgsz} px, on {report.data} ({report.split}, {photos})"
    table = report_table(title, padding=padding_for(width))
    table.add_column("side, class", no_wrap=True)
    table.add_column("faces", justify="right")
    for label in ("AP50", "AP50-95"):
        table.add_column(label, no_wrap=True)
    for label in ("P", "R", "F1"):
        table.add_column(label, justify="right")
    for size, rows in report.ap.items():
        table.add_row(f"[bold]{size}[/bold]")
        for name, row in rows.items():
            shown = ["", "", ""]
            if size == "all":
                point = report.point
                shown = [
                    three_decimals(
                        getattr(point.classes[CLASS_NAMES.index(name)], figure)
                        if name in CLASS_NAMES
                        else point.mean(figure)
                    )
                    for figure in ("precision", "recall", "f1")
                ]
            table.add_row(
                name, str(row.faces), figure_cell(row.ap50, dim=True), figure_cell(row.ap50_95, dim=True), *shown
            )
        table.add_section()
    return table


def _confusion_table(report: ValReport, width: int) -> Table:
    from maskdet.classes import CLASS_NAMES

    labels = [*CLASS_NAMES, "background"]
    title = f"labelled ↓, detected → above confidence {report.point.conf}, IoU from {report.point.iou}"
    table = report_table(title, padding=padding_for(width))
    table.add_column("", no_wrap=True)
    for label in labels:
        table.add_column(label, justify="right", overflow="fold")
    for row, label in enumerate(labels):
        counts = [str(count) if count else "·" for count in report.point.confusion[row].tolist()]
        table.add_row(label, *counts)
    return table
