"""Pictures of a comparison: bars with their 95 % intervals, as PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from maskdet.chain.evaluation.report import FINDERS, NAMERS, CompareReport
from maskdet.chain.evaluation.tables import FINDER_TITLES, NAMER_TITLES
from maskdet.detector.evaluation.average_precision import AP_ROWS
from maskdet.extras import require
from maskdet.files.atomic import write_bytes
from maskdet.imaging.figure import png
from maskdet.statistics.figures import Figure

#: One colour for each way of answering, the same in both pictures.
_COLOURS: Final = {
    "shipped": "0.7",
    "detector": "tab:blue",
    "classifier": "tab:orange",
    "classifier_on_labels": "moccasin",
    "chain": "tab:green",
}


def save_bars(report: CompareReport, folder: Path) -> list[Path]:
    """Write ``ap.png`` and ``classes.png`` into ``folder`` and return their paths.

    Raises:
        MissingExtraError: matplotlib is not installed.
        SourceError: the folder cannot be written.
    """
    return [
        write_bytes(folder / "ap.png", png(ap_bars(report))),
        write_bytes(folder / "classes.png", png(class_bars(report))),
    ]


def ap_bars(report: CompareReport) -> Any:
    """Draw AP50 and AP50-95 of every class and their mean: detector as it ships, on the chain's boxes, and chain.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    names = AP_ROWS
    figure, panels = _canvas(2)
    for axes, label, attribute in zip(panels, ("AP50", "AP50-95"), ("ap50", "ap50_95"), strict=True):
        bars = {finder: [getattr(report.ap[finder]["all"][name], attribute) for name in names] for finder in FINDERS}
        faces = [report.ap[FINDERS[0]]["all"][name].faces for name in names]
        _bars(axes, [f"{name}\n{count} faces" for name, count in zip(names, faces, strict=True)], bars, FINDER_TITLES)
        axes.set(title=label)
    return _with_legend(figure, panels[0])


def class_bars(report: CompareReport) -> Any:
    """Draw accuracy and macro-F1 of the class on the faces found, by their size.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure, panels = _canvas(2)
    heads = [f"{size}\n{rows[NAMERS[0]].faces} faces" for size, rows in report.classes.items()]
    for axes, label, attribute in zip(panels, ("accuracy", "macro-F1"), ("accuracy", "macro_f1"), strict=True):
        bars = {name: [getattr(rows[name], attribute) for rows in report.classes.values()] for name in NAMERS}
        _bars(axes, heads, bars, NAMER_TITLES)
        axes.set(title=f"{label} of the class, faces found above {report.settings.conf}")
    return _with_legend(figure, panels[0])


def _bars(axes: Any, heads: Sequence[str], bars: Mapping[str, Sequence[Figure]], titles: Mapping[str, str]) -> None:
    """Draw one group of bars a head; a figure that is not known has no bar."""
    width = 0.8 / len(bars)
    for at, (name, figures) in enumerate(bars.items()):
        known = [(index, figure) for index, figure in enumerate(figures) if figure.value is not None]
        places = [index + (at - (len(bars) - 1) / 2) * width for index, _ in known]
        values = [figure.value for _, figure in known]
        axes.bar(places, values, width, color=_COLOURS[name], label=titles[name])
        for place, (_, figure) in zip(places, known, strict=True):
            if figure.low is not None and figure.high is not None:
                # Not errorbar: a percentile interval need not hold the measured value.
                axes.vlines(place, figure.low, figure.high, color="black", linewidth=1)
    axes.set_xticks(range(len(heads)), heads, fontsize="small")
    axes.set(ylim=(0, 1.02), xlim=(-0.6, len(heads) - 0.4))
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)


def _with_legend(figure: Any, axes: Any) -> Any:
    """Put the legend of one pair of axes below all, where it hides no bar."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _canvas(panels: int) -> tuple[Any, list[Any]]:
    """Return a figure and its axes, one below the other; no pyplot, which would choose a window system."""
    module = require("matplotlib.figure", what="--save", extra="plots")
    figure = module.Figure(figsize=(9.0, 3.4 * panels), layout="constrained")
    return figure, list(figure.subplots(panels, 1))
