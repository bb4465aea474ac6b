"""The tables that people read after ``maskdet compare --folds``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maskdet.chain.report import FINDERS
from maskdet.chain.score_table import FINDER_TITLES, NAMER_TITLES, signed
from maskdet.console import console
from maskdet.detector.ap_table import AP_ROWS
from maskdet.detector.val_report import Figure
from maskdet.writers.report_table import figure_cell, fold_cell, report_table

if TYPE_CHECKING:
    from maskdet.chain.fold_scores import FoldCompareReport

#: Word for what an interval of a gain says: all above zero, all below, or zero within.
WINS, LOSES, UNDECIDED = "chain better", "chain worse", "may be chance"


def verdict(gain: Figure) -> str:
    """Say what the interval of a gain says.

    >>> verdict(Figure(0.02, 0.01, 0.03)), verdict(Figure(0.02, -0.01, 0.03)), verdict(Figure(-0.02, -0.03, -0.01))
    ('chain better', 'may be chance', 'chain worse')
    """
    if gain.low is None or gain.high is None:
        return UNDECIDED
    return WINS if gain.low > 0 else LOSES if gain.high < 0 else UNDECIDED


def print_fold_scores(report: FoldCompareReport) -> None:
    """Print average precision, what the chain gains, and the class on the faces found."""
    screen = console()
    pooled = report.pooled
    title = f"{pooled.data}: {pooled.photos} photos in {len(report.models)} folds"
    table = report_table(title)
    for head in ("class", "by", "AP50", "AP50-95", "chain's gain, AP50", ""):
        table.add_column(head, no_wrap=True)
    for name in AP_ROWS:
        for finder in FINDERS:
            cells = [fold_cell(report.ap[finder][label]["all"][name]) for label in ("ap50", "ap50_95")]
            gain = report.ap_gain[finder]["ap50"]["all"][name].mean if finder != "chain" else None
            last = ("", "") if gain is None else (signed(gain), verdict(gain))
            table.add_row(name if finder == FINDERS[0] else "", FINDER_TITLES[finder], *cells, *last)
        table.add_section()
    screen.print(table)
    classes = report_table(f"the class of the {pooled.found} faces found above confidence {pooled.settings.conf}")
    for head in ("by", "accuracy", "macro-F1"):
        classes.add_column(head, no_wrap=True)
    for namer, row in pooled.classes["all"].items():
        classes.add_row(NAMER_TITLES[namer], figure_cell(row.accuracy), figure_cell(row.macro_f1))
    screen.print(classes)
    screen.print("AP: mean of the folds ± standard deviation; in brackets 95 % intervals over groups of photos.")
