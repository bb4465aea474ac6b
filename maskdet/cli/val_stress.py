"""``maskdet val --stress``: the stress test's table, JSON and curve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.cli.report_output import to_json, write_text
from maskdet.terminal.console import console
from maskdet.terminal.report_table import figure_cell, padding_for, report_table

if TYPE_CHECKING:
    from maskdet.detector.evaluation.stress.report import ScaleReport


def write_scales(report: ScaleReport, json_target: str | None, folder: Path | None) -> None:
    """Write the JSON, the curve, or both, as asked.

    Raises:
        SourceError: a file cannot be written.
    """
    from maskdet.files.atomic import write_bytes

    text = to_json(report.to_dict(), indent=2)
    write_text(text, json_target)
    if folder:
        from maskdet.detector.evaluation.stress.plot import save_curve

        save_curve(report, folder)
        write_bytes(folder / "stress.json", text.encode())


def print_scales(report: ScaleReport) -> None:
    """Print the figures as one table."""
    from maskdet.statistics.figures import MEAN

    screen = console()
    title = f"{report.model}, {report.imgsz} px, on re-framed faces of {report.data} ({report.split})"
    table = report_table(title, padding=padding_for(screen.width))
    table.add_column("share, class", no_wrap=True)
    table.add_column("faces", justify="right")
    for label in ("recall", "any class", "AP50"):
        table.add_column(label, no_wrap=True)
    table.add_column("false", justify="right")
    for name, bucket in report.buckets.items():
        table.add_row(f"[bold]{name}[/bold]")
        for class_name, row in bucket.rows.items():
            alarms = bucket.false_alarms.value if class_name == MEAN else None
            shown = "" if alarms is None else f"{alarms:.2f}"
            figures = (figure_cell(figure, dim=True) for figure in (row.recall, row.found, row.ap50))
            table.add_row(class_name, str(row.faces), *figures, shown)
        table.add_section()
    screen.print(table)
    screen.print(
        "In brackets the 95 % interval. The face's longer side takes that share of the picture's shorter one.\n"
        f"Recall: reported above confidence {report.conf}, IoU from 0.5, class right; any class: or wrong.\n"
        "false: boxes a picture reported beside the labelled faces, or with the wrong class.",
        markup=False,
    )
