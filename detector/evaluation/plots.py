"""Pictures of an evaluation, as PNG or ``matplotlib.figure.Figure``: curves, confusion matrix, reliability, scales."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_COLOURS, CLASS_NAMES, colour_of
from maskdet.detector.evaluation.coco import RECALLS
from maskdet.detector.evaluation.report import ValReport
from maskdet.detector.evaluation.stress import ScaleReport
from maskdet.extras import require
from maskdet.files.atomic import write_bytes
from maskdet.imaging.encode import png
from maskdet.statistics.calibration_error import BINS, reliability

#: Classes and background up to which cells have their counts, and curves their names.
_WRITTEN: Final = 20


def save_plots(report: ValReport, folder: Path) -> list[Path]:
    """Write ``pr_curve.png`` and ``confusion_matrix.png`` into ``folder`` and return their paths.

    Raises:
        SourceError: the folder cannot be written.
    """
    return [
        write_bytes(folder / "pr_curve.png", png(pr_curve(report), dpi=120)),
        write_bytes(folder / "confusion_matrix.png", png(confusion_matrix(report), dpi=120)),
    ]


def pr_curve(report: ValReport) -> Any:
    """Draw precision over recall at IoU 0.5, one line a class, and the shipped threshold as a dot on each."""
    figure, axes = canvas(7.0, 5.0)
    for index, name in enumerate(report.names):
        row, point = report.ap["all"][name], report.point.classes[index]
        if row.ap50.value is None:
            continue
        colour = tuple(part / 255 for part in reversed(colour_of(name, index)))  # BGR to RGB
        label = f"{name}  AP50 {row.ap50.value:.3f}  ({row.faces} faces)"
        axes.plot(RECALLS, report.curves[index], color=colour, linewidth=2, label=label)
        if point.recall is not None and point.precision is not None:
            axes.plot(point.recall, point.precision, "o", color=colour, markeredgecolor="black")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.set_title(f"IoU 0.5, mAP50 {report.map50:.3f}; dots: what is reported above confidence {report.point.conf}")
    axes.grid(alpha=0.3)
    if len(report.names) <= _WRITTEN:
        axes.legend(loc="lower left")
    return figure


def confusion_matrix(report: ValReport) -> Any:
    """Draw the counts, each cell coloured by its share of the labelled class."""
    figure, axes = canvas(7.0, 5.5)
    counts = report.point.confusion
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = [*report.names, "background"]
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(labels)):
        for column in range(len(labels)):
            # Background as background is not a thing that can be counted.
            text = "–" if row == column == len(labels) - 1 else f"{counts[row, column]}\n{share[row, column]:.0%}"
            colour = "white" if share[row, column] > 0.5 else "black"
            if len(labels) <= _WRITTEN:
                axes.text(column, row, text, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=20, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="detected", ylabel="labelled")
    axes.set_title(f"confidence above {report.point.conf}, IoU from {report.point.iou}")
    return figure


def canvas(width: float, height: float, *, columns: int = 1) -> tuple[Any, Any]:
    """Return a figure of ``width`` × ``height`` inches with one pair of axes, or an array of them side by side.

    ``Figure`` rather than pyplot, which would choose a window system and keep every figure alive.
    """
    module = require("matplotlib.figure", what="--save", extra="plots")
    figure = module.Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(ncols=columns)


def reliability_diagram(
    panels: Sequence[tuple[str, npt.NDArray[np.float64]]], right: npt.NDArray[np.bool_], *, least: float
) -> Any:
    """Draw one panel for each set of confidences: bars of the share right, the diagonal, and how many are in each bin.

    Args:
        panels: (title, (N,) float64 confidences) each.
        right: (N,) bool.
    """
    module = require("matplotlib.figure", what="the reliability diagram", extra="plots")
    figure = module.Figure(figsize=(4.6 * len(panels), 5.0), layout="constrained")
    axes = figure.subplots(2, len(panels), sharex=True, squeeze=False, height_ratios=(3, 1))
    for column, (title, confidences) in enumerate(panels):
        above = confidences > least
        table = reliability(confidences[above], right[above])
        upper, lower = axes[:, column]
        for number, one in enumerate(table):
            if one is None:
                continue
            middle = (number + 0.5) / BINS
            upper.bar(middle, one.right, 0.9 / BINS, color="#4878a8")
            upper.plot([middle - 0.45 / BINS, middle + 0.45 / BINS], [one.confidence] * 2, color="#c03020", linewidth=2)
            lower.bar(middle, one.count, 0.9 / BINS, color="#888888")
        upper.plot([0, 1], [0, 1], color="black", linewidth=1, linestyle=":")
        upper.set(xlim=(0, 1), ylim=(0, 1), title=title)
        lower.set(xlabel="confidence", yscale="log")
    axes[0, 0].set_ylabel("share right (blue), mean confidence (red)")
    axes[1, 0].set_ylabel("detections")
    return figure


def save_curve(report: ScaleReport, folder: Path) -> Path:
    """Write ``stress.png`` into ``folder`` and return its path.

    Raises:
        SourceError: the folder cannot be written.
    """
    return write_bytes(folder / "stress.png", png(scale_curve(report), dpi=120))


def scale_curve(report: ScaleReport) -> Any:
    """Draw recall and AP50 over the buckets, one line a class with its 95 % interval as a band."""
    figure, (recall, ap) = canvas(11.0, 4.5, columns=2)
    titles = ((recall, "recall", f"recall above confidence {report.conf}, box and class right"), (ap, "ap50", "AP50"))
    for axes, name, title in titles:
        for index, class_name in enumerate(CLASS_NAMES):
            rows = [bucket.rows[class_name] for bucket in report.buckets.values()]
            known = [at for at, row in enumerate(rows) if getattr(row, name).value is not None]
            figures = [getattr(rows[at], name) for at in known]
            colour = tuple(part / 255 for part in reversed(CLASS_COLOURS[index]))  # BGR to RGB
            axes.plot(known, [one.value for one in figures], "o-", color=colour, label=class_name)
            if all(one.low is not None for one in figures):
                low, high = [one.low for one in figures], [one.high for one in figures]
                axes.fill_between(known, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set_xticks(range(len(report.buckets)), list(report.buckets))
        axes.set(ylim=(0, 1.02), xlabel="face's longer side / picture's shorter side", title=title)
        axes.grid(alpha=0.3)
    recall.legend(loc="lower left")
    figure.suptitle(f"{report.model}, {report.imgsz} px, on {report.data} ({report.split})")
    return figure
