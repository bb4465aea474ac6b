"""The stress test as a picture: recall and AP50 over the share of the picture that a face takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskdet.classes import CLASS_COLOURS, CLASS_NAMES
from maskdet.detector.evaluation.plots import canvas
from maskdet.detector.evaluation.stress.report import ScaleReport
from maskdet.files.atomic import write_bytes
from maskdet.imaging.encode import png


def save_curve(report: ScaleReport, folder: Path) -> Path:
    """Write ``stress.png`` into ``folder`` and return its path.

    Raises:
        MissingExtraError: matplotlib is not installed.
        SourceError: the folder cannot be written.
    """
    return write_bytes(folder / "stress.png", png(scale_curve(report), dpi=120))


def scale_curve(report: ScaleReport) -> Any:
    """Draw recall and AP50 over the buckets, one line a class with its 95 % interval as a band.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
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
