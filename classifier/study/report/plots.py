"""The study's pictures: learning curves, confusion matrices, ROC curves, and errors with their intervals.

Each function returns a ``matplotlib.figure.Figure`` and raises ``MissingExtraError`` where matplotlib is not installed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.classifier.study.published import OWN, study_error
from maskdet.classifier.study.report.text import SHORT_NAMES
from maskdet.classifier.study.sections import Entry, Section
from maskdet.extras import require
from maskdet.statistics.scores import roc_curve

TRAIN_COLOUR, DEV_COLOUR, STUDY_COLOUR = "tab:blue", "tab:orange", "0.45"


def learning_curves(entry: Entry) -> Any:
    """Draw error and loss over the epochs, a pair of lines a fold; the study's own dev error where it is printed."""
    figure = _figure(9.0, 3.4)
    error, loss = figure.subplots(1, 2)
    for index, run in enumerate(entry.runs):
        numbers = [epoch.number for epoch in run.epochs]
        thin = {"linewidth": 2.0 if len(entry.runs) == 1 else 1.0, "marker": "." if len(numbers) < 20 else None}
        for axes, figures in (
            (error, [(100 * epoch.train_error, 100 * epoch.dev_error) for epoch in run.epochs]),
            (loss, [(epoch.train_loss, epoch.dev_loss) for epoch in run.epochs]),
        ):
            for column, (name, colour) in enumerate((("train", TRAIN_COLOUR), ("dev", DEV_COLOUR))):
                values = [pair[column] for pair in figures]
                axes.plot(numbers, values, color=colour, label=name if index == 0 else None, **thin)
            axes.axvline(run.best_epoch, color="0.6", linestyle=":", linewidth=1, zorder=0)
    printed = _printed_dev_error(entry)
    if printed:
        error.plot(
            range(1, len(printed) + 1), printed, color=STUDY_COLOUR, linestyle="--", marker="x", label="dev, study"
        )
    error.set(title="wrong crops", ylabel="%", ylim=(0, None))
    loss.set(title="cross-entropy", ylabel="nats", ylim=(0, None))
    last = max([len(printed), *(epoch.number for run in entry.runs for epoch in run.epochs)], default=1)
    for axes in (error, loss):
        # A single epoch would leave the axis without width; and there is no epoch and a half.
        axes.set(xlabel="epoch (dotted: the one that was kept)", xlim=(0.5, last + 0.5))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    folds = f", {len(entry.runs)} folds" if len(entry.runs) > 1 else ""
    figure.suptitle(f"{entry.label}{folds}", fontsize="medium", fontweight="bold")
    return figure


def _printed_dev_error(entry: Entry) -> list[float]:
    own = OWN.get(entry.run.name)
    if own is None or entry.run.protocol != "study" or entry.run.task != "binary" or not entry.as_in_study:
        return []
    return [100 * (1 - accuracy) for accuracy in own.dev_accuracy]


def confusion_matrices(section: Section) -> Any:
    """Draw each network's counts on the test crops, cells coloured by their share of the true class."""
    classes = section.entries[0].run.classes
    columns = min(4, len(section.entries))
    rows = math.ceil(len(section.entries) / columns)
    side = 2.6 if len(classes) == 2 else 3.2
    figure = _figure(side * columns + 0.6, (side + 0.35) * rows)
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    names = SHORT_NAMES[: len(classes)]
    for axes, entry in zip(panels, section.entries, strict=False):
        counts = entry.scores.matrix
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row in range(len(classes)):
            for column in range(len(classes)):
                colour = "white" if share[row, column] > 0.5 else "black"
                text = f"{counts[row, column]}\n{share[row, column]:.1%}"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize="small")
        axes.set_xticks(range(len(classes)), names, fontsize="small")
        axes.set_yticks(range(len(classes)), names, fontsize="small", rotation=90, va="center")
        axes.set_xlabel("answer", fontsize="small")
        axes.set_ylabel("truth", fontsize="small")
        axes.set_title(_wrap(entry.label), fontsize="small", fontweight="bold")
    for axes in panels[len(section.entries) :]:
        axes.set_axis_off()
    return figure


def roc_curves(section: Section) -> Any:
    """Draw the ROC curves: all networks in one panel for two classes, a panel a class, against the others, for three.

    The false-positive axis ends where all of the curves are near the top.
    """
    classes = section.entries[0].run.classes
    positives = [1] if len(classes) == 2 else list(range(len(classes)))
    figure = _figure(5.2 * len(positives) + 0.2, 4.9)
    panels = np.atleast_1d(figure.subplots(1, len(positives)))
    colours = require("matplotlib", what="the study's pictures", extra="plots").colormaps["tab10"].colors
    styles = ("-", "--", ":")
    for axes, positive in zip(panels, positives, strict=True):
        curves: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        for index, entry in enumerate(section.entries):
            true = entry.test.labels == positive
            if true.all() or not true.any():
                continue
            false_rate, true_rate = roc_curve(true, entry.test.probabilities[:, positive])
            curves.append((false_rate, true_rate))
            area = float(np.trapezoid(true_rate, false_rate))
            style = styles[index // len(colours) % len(styles)]
            axes.plot(
                false_rate, true_rate, style, color=colours[index % len(colours)], label=f"{entry.label}  {area:.3f}"
            )
        end = _roc_end(curves)
        zoom = "" if end == 1 else f", shown up to {end:g}"
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle=":", label="chance  0.500")
        axes.set(
            xlim=(-0.01 * end, end), ylim=(0, 1.01), xlabel=f"share of the others taken for {classes[positive]}{zoom}"
        )
        axes.set_ylabel(f"share of {classes[positive]} found")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", fontsize="small", title="area under the curve", title_fontsize="small")
    return figure


def _roc_end(curves: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> float:
    """Return the false-positive rate, of a few round ones, at which every useful curve is above 0.97."""
    # A constant answer is a diagonal, which never gets there and looks the same at any scale.
    useful = [(false, true) for false, true in curves if np.trapezoid(true, false) > 0.6]
    for end in (0.1, 0.2, 0.5):
        if useful and all(np.interp(end, false, true) >= 0.97 for false, true in useful):
            return end
    return 1.0


def error_bars(section: Section) -> Any:
    """Draw each network's test error with its 95 % interval, the study's beside it, and the floor as a line."""
    entries = section.entries
    figure = _figure(8.0, 1.7 + 0.48 * len(entries))
    axes = figure.add_subplot()
    for place, entry in enumerate(entries):
        for estimate, at, colour, label in (
            (entry.scores.error, place - 0.2, "tab:cyan", "ours, interval by face"),
            (entry.scores.error_by_group, place, "tab:blue", "ours, interval by photo group"),
        ):
            _bar(axes, at, estimate.value, estimate.low, estimate.high, colour, "o", label)
        theirs = study_error(entry.run.name) if entry.as_in_study and section.task == "binary" else None
        if theirs is not None:
            _bar(axes, place + 0.2, *theirs, STUDY_COLOUR, "x", "the study (split by crop)")
    floors = sorted({(entry.scores.floor.error, entry.scores.floor.count) for entry in entries})
    for (floor, count), style in zip(floors, ("--", ":", "-.", "-") * len(floors), strict=False):
        axes.axvline(
            100 * floor, color="tab:red", linestyle=style, linewidth=1.2, label=f"always the same, {count} crops"
        )
    axes.set_yticks(range(len(entries)), [entry.name for entry in entries])
    axes.set(ylim=(len(entries) - 0.5, -0.5), xlabel="wrong test crops in %, with 95 % interval")
    right = axes.get_xlim()[1]
    axes.set_xlim(-0.01 * right, right)  # a mark at 0 must not be cut in half
    axes.grid(axis="x", alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=2, fontsize="small")
    return figure


def _bar(
    axes: Any, y: float, value: float | None, low: float | None, high: float | None, colour: str, mark: str, label: str
) -> None:
    if value is not None and low is not None and high is not None:
        ends = [[100 * max(0.0, value - low)], [100 * max(0.0, high - value)]]
        axes.errorbar(100 * value, y, xerr=ends, fmt=mark, color=colour, capsize=3, markersize=5, label=label)


def _wrap(label: str) -> str:
    """Break a label where it says more than the network's name."""
    return label.replace(", ", ",\n", 1)


def _figure(width: float, height: float) -> Any:
    """Return an empty figure, in inches.

    ``Figure`` rather than pyplot, which would choose a window system and keep every figure alive.
    """
    module = require("matplotlib.figure", what="the study's pictures", extra="plots")
    return module.Figure(figsize=(width, height), layout="constrained")
