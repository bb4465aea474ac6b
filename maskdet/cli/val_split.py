"""``maskdet val`` on one split: the figures as two tables, JSON and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from maskdet.cli.report_output import to_json, write_text
from maskdet.terminal.console import cell, console
from maskdet.terminal.report_table import figure_cell, padding_for, report_table, three_decimals

if TYPE_CHECKING:
    from rich.table import Table

    from maskdet.detector.evaluation.report import ValReport


def write(report: ValReport, json_target: str | None, folder: Path | None) -> None:
    """Write the JSON and the pictures that were asked for.

    Raises:
        SourceError: a file cannot be written.
    """
    from maskdet.files.atomic import write_bytes

    text = to_json(report.to_dict(), indent=2)
    write_text(text, json_target)
    if folder:
        from maskdet.detector.evaluation.plots import save_plots

        save_plots(report, folder)
        write_bytes(folder / "val.json", text.encode())


def print_report(report: ValReport) -> None:
    """Print the figures as two tables."""
    screen = console()
    screen.print(_figures_table(report, screen.width))
    screen.print("In brackets the 95 % interval; P, R and F1 as `maskdet detect` reports.\n", markup=False)
    if len(_shown(report)) <= _FEW:
        screen.print(_confusion_table(report, screen.width))
    else:
        screen.print("The confusion matrix of so many classes is in --json and --save.", markup=False)


#: Classes up to which a table has them all.
_FEW: Final = 6


def _shown(report: ValReport) -> list[int]:
    """Return the classes that tables show: of many, those that are labelled or reported; the JSON has all."""
    places = range(len(report.names))
    if len(report.names) <= _FEW:
        return list(places)
    counts = report.point.confusion
    return [at for at in places if counts[at].any() or counts[:, at].any()]


def _figures_table(report: ValReport, width: int) -> Table:
    from maskdet.statistics.figures import MEAN

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
        for at in (*_shown(report), None):
            name = MEAN if at is None else report.names[at]
            row = rows[name]
            shown = ["", "", ""]
            if size == "all":
                point = report.point
                shown = [
                    three_decimals(point.mean(figure) if at is None else getattr(point.classes[at], figure))
                    for figure in ("precision", "recall", "f1")
                ]
            table.add_row(
                cell(name),
                str(row.faces),
                figure_cell(row.ap50, dim=True),
                figure_cell(row.ap50_95, dim=True),
                *shown,
            )
        table.add_section()
    return table


def _confusion_table(report: ValReport, width: int) -> Table:
    places = [*_shown(report), len(report.names)]
    every = [*report.names, "background"]
    title = f"labelled ↓, detected → above confidence {report.point.conf}, IoU from {report.point.iou}"
    table = report_table(title, padding=padding_for(width))
    table.add_column("", no_wrap=True)
    for place in places:
        table.add_column(cell(every[place]), justify="right", overflow="fold")
    for place in places:
        counts = [str(count) if count else "·" for count in report.point.confusion[place, places].tolist()]
        table.add_row(cell(every[place]), *counts)
    return table
