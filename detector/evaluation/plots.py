"""Pictures of an evaluation: precision-recall curves and the confusion matrix, as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from maskdet.classes import colour_of
from maskdet.detector.evaluation.coco import RECALLS
from maskdet.detector.evaluation.report import ValReport
from maskdet.extras import require
from maskdet.files.atomic import write_bytes
from maskdet.imaging.encode import png

#: Classes and background up to which cells have their counts, and curves their names.
_WRITTEN: Final = 20


def save_plots(report: ValReport, folder: Path) -> list[Path]:
    """Write ``pr_curve.png`` and ``confusion_matrix.png`` into ``folder`` and return their paths.

    Raises:
        MissingExtraError: matplotlib is not installed.
        SourceError: the folder cannot be written.
    """
    return [
        write_bytes(folder / "pr_curve.png", png(pr_curve(report), dpi=120)),
        write_bytes(folder / "confusion_matrix.png", png(confusion_matrix(report), dpi=120)),
    ]


def pr_curve(report: ValReport) -> Any:
    """Draw precision over recall at IoU 0.5, one line a class, and the shipped threshold as a dot on each.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
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
    """Draw the counts, each cell coloured by its share of the labelled class.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
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
