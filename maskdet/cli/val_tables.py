"""What ``maskdet val`` prints: the figures of each of its tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from maskdet.statistics.figures import three_decimals
from maskdet.terminal.console import cell, console
from maskdet.terminal.report_table import (
    figure_cell,
    fold_cell,
    padding_for,
    report_table,
)

if TYPE_CHECKING:
    from rich.table import Table

    from maskdet.detector.evaluation.folds.calibration import CalibrationReport
    from maskdet.detector.evaluation.folds.cross_validation import FoldScores
    from maskdet.detector.evaluation.folds.report import FoldReport
    from maskdet.detector.evaluation.near_training import NearTraining
    from maskdet.detector.evaluation.report import ValReport
    from maskdet.detector.evaluation.stress import ScaleReport

#: Classes up to which a table has them all.
_FEW: Final = 6


def print_report(report: ValReport) -> None:
    """Print the figures as two tables."""
    screen = console()
    screen.print(_split_table(report, screen.width))
    screen.print(_said(report), markup=False)
    if report.near_training is not None:
        screen.print(_near_table(report.near_training, screen.width))
        screen.print("In brackets the 95 % interval from draws of photos; by group: of alike photos.\n", markup=False)
    if len(_shown(report)) <= _FEW:
        screen.print(_confusion_table(report, screen.width))
    else:
        screen.print("The confusion matrix of so many classes is in --json and --save.", markup=False)


def _said(report: ValReport) -> str:
    """Say what the two kinds of figures count."""
    from maskdet.statistics.figures import MEAN

    given = report.as_reported[MEAN]
    return (
        "In brackets the 95 % interval; P, R and F1 as `maskdet detect --mode detect` reports. AP counts every\n"
        "class of a box, on the score as trained; of the one class a box that is reported, from confidence 0.001:\n"
        f"mAP50 {three_decimals(given.ap50.value)}, mAP50-95 {three_decimals(given.ap50_95.value)}.\n"
    )


#: How the sets of photos beside a split are called.
NEAR_TITLES: Final = {
    "all": "all",
    "without_series": "without the selfie series",
    "without_near_copies": "without near copies",
    "without_either": "without either",
}


def _near_table(near: NearTraining, width: int) -> Table:
    table = report_table("beside themselves: photos that resemble trained ones left out", padding=padding_for(width))
    table.add_column("photos, class", no_wrap=True)
    table.add_column("faces", justify="right")
    for label in ("AP50", "by group", "AP50-95"):
        table.add_column(label, no_wrap=True)
    for name, one in near.sets.items():
        table.add_row(f"[bold]{NEAR_TITLES[name]}[/bold]: {one.photos}, {one.groups} groups")
        for row, figures in one.ap.items():
            cells = (figures.ap50, figures.by_group["ap50"], figures.ap50_95)
            table.add_row(cell(row), str(figures.faces), *(figure_cell(figure, dim=True) for figure in cells))
        table.add_section()
    return table


def _shown(report: ValReport) -> list[int]:
    """Return the classes that tables show: of many, those that are labelled or reported; the JSON has all."""
    places = range(len(report.names))
    if len(report.names) <= _FEW:
        return list(places)
    counts = report.point.confusion
    return [at for at in places if counts[at].any() or counts[:, at].any()]


def _split_table(report: ValReport, width: int) -> Table:
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


def print_folds(report: FoldReport) -> None:
    """Print the figures of each set of photos."""
    screen = console()
    for name, scores in report.sets.items():
        screen.print(_fold_table(report, name, scores))
    screen.print(
        f"Mean of the {report.folds} folds ± standard deviation, in brackets its 95 % interval over groups of "
        f"alike photos; P, R and F1 above confidence {report.conf} at IoU 0.5.",
        markup=False,
    )


def _fold_table(report: FoldReport, name: str, scores: FoldScores) -> Table:
    from maskdet.detector.evaluation.folds.report import SET_TITLES

    title = f"{report.data}, {SET_TITLES[name]}: {sum(scores.photos)} photos, {report.folds} folds"
    table = report_table(title, padding=(0, 0, 0, 1))
    table.add_column("side, class", no_wrap=True)
    table.add_column("faces", justify="right", no_wrap=True)
    for label in ("AP50", "AP50-95", "P", "R", "F1"):
        table.add_column(label, no_wrap=True)
    for size, rows in scores.ap["ap50"].items():
        table.add_row(f"[bold]{size}[/bold]")
        for row, figure in rows.items():
            cells = [fold_cell(figure), fold_cell(scores.ap["ap50_95"][size][row])]
            recall = scores.recall[size][row]
            if size == "all":
                point = (scores.point["precision"][row], recall, scores.point["f1"][row])
                cells += map(fold_cell, point)
            else:
                cells += ["", fold_cell(recall), ""]
            table.add_row(row, str(scores.faces[size][row]), *cells)
        table.add_section()
    return table


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


def print_mistakes(report: Mapping[str, Any]) -> None:
    """Print the counts of a ``maskdet-mistakes/1`` report."""
    from maskdet.classes import CLASS_NAMES

    screen = console()
    data = report["data"]
    table = report_table(f"{data['name']} ({data['split']}): mistakes above confidence {report['settings']['conf']}")
    table.add_column("mistake", no_wrap=True)
    for name in ("side", *CLASS_NAMES):
        table.add_column(name, justify="right", no_wrap=True)
    for kind, sizes in {"faces": report["faces"], **report["mistakes"]}.items():
        for size, row in sizes.items():
            table.add_row(kind if size == "all" else "", size, *(f"{row[name]:,}" for name in CLASS_NAMES))
        table.add_section()
    screen.print(table)
    doubtful = ", ".join(f"{kind} {count}" for kind, count in report["doubtful"].items())
    screen.print(f"labels that look wrong: {doubtful}", markup=False)


def print_calibration(report: CalibrationReport) -> None:
    """Print what calibrating changes, and the thresholds with the best F1."""
    from maskdet.classes import CLASS_NAMES
    from maskdet.detector.evaluation.calibration import ERROR_ABOVE

    screen = console()
    table = report_table("Calibration error, each fold calibrated by what the others say")
    for name in ("method", "temperature", "bias", *(f"ECE above {limit}" for limit in ERROR_ABOVE), *CLASS_NAMES):
        table.add_column(name)
    for name, method in report.methods.items():
        fitted = (_numbers(method.final.temperature), _numbers(method.final.bias))
        of_class = method.by_class[ERROR_ABOVE[-1]].values()
        errors = [method.errors[limit] for limit in ERROR_ABOVE]
        table.add_row(name, *fitted, *map(figure_cell, (*errors, *of_class)))
    screen.print(table)
    screen.print(f"The classes' columns: of their detections above {ERROR_ABOVE[-1]}.\n", markup=False)
    table = report_table("Confidence thresholds, chosen on the other folds")
    for name in ("chosen", "with / without / incorrect", "mean F1", "beside the default"):
        table.add_column(name, no_wrap=True)
    for name, way in report.thresholds.items():
        limits = " / ".join(three_decimals(limit) for limit in way.final)
        table.add_row(name, limits, figure_cell(way.figures["f1"]["mean"]), figure_cell(way.gain["mean"]))
    screen.print(table)


def _numbers(values: float | tuple[float, ...]) -> str:
    """Return a number, or one a class."""
    return " / ".join(map(three_decimals, values)) if isinstance(values, tuple) else three_decimals(values)
