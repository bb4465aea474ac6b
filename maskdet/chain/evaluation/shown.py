"""The tables and bars that people see after ``maskdet compare --data``, and with ``--folds``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from maskdet.chain.evaluation.report import FINDERS, NAMERS, CompareReport
from maskdet.detector.evaluation.average_precision import AP_ROWS
from maskdet.detector.evaluation.folds.report import SET_TITLES
from maskdet.extras import require
from maskdet.files.atomic import write_bytes
from maskdet.imaging.encode import png
from maskdet.statistics.figures import MEAN, Figure
from maskdet.statistics.mcnemar import ALPHA
from maskdet.terminal.console import console
from maskdet.terminal.report_table import figure_cell, fold_cell, report_table

if TYPE_CHECKING:
    from rich.table import Table

    from maskdet.chain.evaluation.folds import FoldCompareReport, FoldCompareScores

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
    return figure.written(lambda value: "–" if value is None else f"{value:+.3f}", frame="({} to {})")


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
    """Print average precision, what the chain gains, and the class on the faces found, for each set of photos."""
    for name, scores in report.sets.items():
        _print_set(report, name, scores)
    console().print(
        "Mean of the folds ± standard deviation, and pooled; in brackets 95 % intervals over groups of photos."
    )


def _print_set(report: FoldCompareReport, set_name: str, scores: FoldCompareScores) -> None:
    screen, pooled = console(), scores.pooled
    table = report_table(f"{pooled.data}, {SET_TITLES[set_name]}: {pooled.photos} photos, {report.folds} folds")
    for head in ("class", "by", "AP50", "AP50-95", "chain's gain, AP50", ""):
        table.add_column(head, no_wrap=True)
    for name in AP_ROWS:
        for finder in FINDERS:
            cells = [fold_cell(scores.ap[finder][label]["all"][name]) for label in ("ap50", "ap50_95")]
            gain = scores.ap_gain[finder]["ap50"]["all"][name].mean if finder != "chain" else None
            last = ("", "") if gain is None else (signed(gain), verdict(gain))
            table.add_row(name if finder == FINDERS[0] else "", FINDER_TITLES[finder], *cells, *last)
        table.add_section()
    screen.print(table)
    classes = report_table(f"the class of the {pooled.found} faces found above confidence {pooled.settings.conf}")
    for head in ("by", "accuracy", "macro-F1", "accuracy, pooled", "macro-F1, pooled"):
        classes.add_column(head, no_wrap=True)
    for namer, row in pooled.classes["all"].items():
        means = [fold_cell(scores.classes[namer][figure]) for figure in ("accuracy", "macro_f1")]
        classes.add_row(NAMER_TITLES[namer], *means, figure_cell(row.accuracy), figure_cell(row.macro_f1))
    screen.print(classes)


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
    """Draw AP50 and AP50-95 of every class and their mean: detector as it ships, on the chain's boxes, and chain."""
    names = AP_ROWS
    figure, panels = _canvas(2)
    for axes, label, attribute in zip(panels, ("AP50", "AP50-95"), ("ap50", "ap50_95"), strict=True):
        bars = {finder: [getattr(report.ap[finder]["all"][name], attribute) for name in names] for finder in FINDERS}
        faces = [report.ap[FINDERS[0]]["all"][name].faces for name in names]
        _bars(axes, [f"{name}\n{count} faces" for name, count in zip(names, faces, strict=True)], bars, FINDER_TITLES)
        axes.set(title=label)
    return _with_legend(figure, panels[0])


def class_bars(report: CompareReport) -> Any:
    """Draw accuracy and macro-F1 of the class on the faces found, by their size."""
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
