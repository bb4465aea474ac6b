"""The tables that people read after ``maskdet compare --data``, and with ``--folds``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maskdet.chain.evaluation.report import FINDERS, NAMERS, CompareReport
from maskdet.detector.evaluation.average_precision import AP_ROWS
from maskdet.statistics.figures import MEAN, Figure
from maskdet.statistics.mcnemar import ALPHA
from maskdet.terminal.console import console
from maskdet.terminal.report_table import figure_cell, fold_cell, report_table

if TYPE_CHECKING:
    from rich.table import Table

    from maskdet.chain.evaluation.folds import FoldCompareReport


#: What the tables and pictures call each way of answering.
FINDER_TITLES: Final = {"shipped": "detector, as val", "detector": "detector", "chain": "chain"}
NAMER_TITLES: Final = {
    "detector": "detector",
    "classifier": "classifier",
    "classifier_on_labels": "classifier, labelled box",
    "chain": "chain",
}


def print_scores(report: CompareReport) -> None:
    """Print average precision, how often the class is right, and whether the chain gains."""
    screen = console()
    screen.print(_ap_table(report))
    screen.print(_class_table(report))
    screen.print("In brackets the 95 % interval over photos.", markup=False)
    for line in conclusions(report):
        screen.print(line, markup=False)


def conclusions(report: CompareReport) -> list[str]:
    """Return what the chain gains over the detector, in words."""
    discord = report.discord
    verdict = "the difference may be chance" if discord.p >= ALPHA else "more than chance"
    lines = []
    for finder in ("shipped", "detector"):
        gain = report.ap_gain[finder]
        lines.append((FINDER_TITLES[finder], {"mAP50": gain["ap50"][MEAN], "mAP50-95": gain["ap50_95"][MEAN]}))
    lines.append(("detector", {"accuracy": report.class_gain["accuracy"], "macro-F1": report.class_gain["macro_f1"]}))
    return [
        *(
            f"chain beside {title}: {', '.join(f'{name} {signed(figure)}' for name, figure in figures.items())}"
            for title, figures in lines
        ),
        f"of {report.found} faces found, {discord.detector_only} right by the detector alone, {discord.chain_only} by "
        f"the chain alone: McNemar's exact p = {discord.p:.3g}, {verdict}",
    ]


def signed(figure: Figure) -> str:
    """Return a difference with its sign, or a dash.

    >>> signed(Figure(0.0123, -0.001, 0.025)), signed(Figure(None))
    ('+0.012 (-0.001 to +0.025)', '–')
    """
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:+.3f}"
    return f"{figure.value:+.3f} ({figure.low:+.3f} to {figure.high:+.3f})"


def _ap_table(report: CompareReport) -> Table:
    photos = f"{report.photos} photo{'' if report.photos == 1 else 's'}"
    models = f"{report.detector.info.name} and {report.classifier.info.name}"
    table = report_table(f"{models} on {report.data} ({report.split}, {photos})")
    table.add_column("class, side", no_wrap=True)
    table.add_column("faces", justify="right")
    table.add_column("by", no_wrap=True)
    for label in ("AP50", "AP50-95"):
        table.add_column(label, no_wrap=True)
    groups = [("all", name, name) for name in AP_ROWS]
    groups += [(size, MEAN, f"{MEAN}, {size}") for size in report.ap[FINDERS[0]] if size != "all"]
    for size, name, title in groups:
        for at, finder in enumerate(FINDERS):
            row = report.ap[finder][size][name]
            head = ("", "") if at else (title, str(row.faces))
            table.add_row(*head, FINDER_TITLES[finder], figure_cell(row.ap50), figure_cell(row.ap50_95))
        table.add_section()
    return table


def _class_table(report: CompareReport) -> Table:
    table = report_table(f"the class of the {report.found} faces found above confidence {report.settings.conf}")
    table.add_column("side", no_wrap=True)
    table.add_column("faces", justify="right")
    table.add_column("by", no_wrap=True)
    for label in ("accuracy", "macro-F1"):
        table.add_column(label, no_wrap=True)
    for size, rows in report.classes.items():
        for at, name in enumerate(NAMERS):
            row = rows[name]
            head = ("", "") if at else (size, str(row.faces))
            table.add_row(*head, NAMER_TITLES[name], figure_cell(row.accuracy), figure_cell(row.macro_f1))
        table.add_section()
    row = report.labelled_faces["all"]
    cells = (figure_cell(row.accuracy), figure_cell(row.macro_f1))
    table.add_row("all labelled", str(row.faces), NAMER_TITLES["classifier_on_labels"], *cells)
    return table


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
