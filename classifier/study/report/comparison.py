"""What the study printed, what its numbers really say, and ours, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from maskdet.classifier.networks.specs import STUDY_NETWORKS, NetworkSpec
from maskdet.classifier.study.published import (
    ELSEWHERE,
    F1_COLUMN,
    HUMAN_ERROR,
    OWN,
    OWN_PARTS,
    TRANSFER,
    transfer_floor,
)
from maskdet.classifier.study.report.results import floor_label, floors
from maskdet.classifier.study.report.text import (
    NONE,
    error_intervals,
    mark_best,
    percent,
    percent_interval,
    ratio,
    ratio_interval,
    table,
)
from maskdet.classifier.study.sections import Entry, Section
from maskdet.statistics.figures import Figure

FigureName = Literal["error", "macro_f1", "balanced_accuracy"]
NOT_RUN, NO_WEIGHTS = "not run", "not run: weights unavailable"

_TITLES: Final[dict[FigureName, str]] = {
    "error": "**Test error**: share of test crops answered wrongly; lower is better, in brackets the 95 % interval.",
    "macro_f1": (
        "**F1**: the study prints one F1 in which every crop counts as *without mask*, or both classes' with truth "
        "and answer swapped; the other two columns are macro-F1, the mean of both classes' F1. Higher is better."
    ),
    "balanced_accuracy": (
        "**Balanced accuracy**: mean of both classes' recall, which the study does not print. "
        "0.5 is a constant answer, 1 is perfect."
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line: a network as the study had it, one of our own making, or both; ``absent`` says why it has no entry."""

    label: str
    study: str | None
    entry: Entry | None
    absent: str = NOT_RUN

    def estimate(self, figure: FigureName) -> Figure | None:
        """Return our figure."""
        if self.entry is None:
            return None
        estimate: Figure = getattr(self.entry.scores, figure)
        return estimate


def comparison_lines(section: Section, absent: Mapping[str, str]) -> list[Line]:
    """Return the lines of a section of two classes in the study's order; ``absent`` says why a network was not run.

    With the study's protocol all its networks get one; else those that were run, and those that could only be run
    without their ImageNet weights.
    """
    lines = []
    for spec in STUDY_NETWORKS.values():
        lines += _network_lines(spec, section, absent)
    return lines + [Line(entry.label, None, entry) for entry in section.entries if entry.spec is None]


def _network_lines(spec: NetworkSpec, section: Section, absent: Mapping[str, str]) -> list[Line]:
    mine = [entry for entry in section.entries if entry.spec is spec]
    lines = [Line(entry.label, spec.name, entry) for entry in mine if entry.as_in_study]
    if not lines and (mine or section.protocol == "study"):
        scratch = any(entry.run.weights != "imagenet" for entry in mine)
        lines.append(Line(spec.title, spec.name, None, absent.get(spec.name, NO_WEIGHTS if scratch else NOT_RUN)))
    return lines + [Line(entry.label, None, entry) for entry in mine if not entry.as_in_study]


def comparison(section: Section, absent: Mapping[str, str]) -> str:
    """Return the three tables of a section of two classes: error, F1, balanced accuracy."""
    lines = comparison_lines(section, absent)
    split = "" if section.protocol == "study" else " (split by crop)"
    columns = ["network", f"the study printed{split}", f"what its numbers really say{split}", "ours"]
    parts = []
    for figure, title in _TITLES.items():
        rows = [
            [line.label, *_theirs(line.study, figure), ours]
            for line, ours in zip(lines, _ours(lines, figure), strict=True)
        ]
        rows += _floor_rows(section, figure)
        if figure == "error":
            rows.append(["*people, by the study*", percent(HUMAN_ERROR), NONE, NONE])
            others = [other for other in ELSEWHERE if other.task == "binary"]
            rows += [[f"*elsewhere: {o.what}*", percent(1 - o.accuracy, 0), NONE, NONE] for o in others]
        parts.append(f"{title}\n\n{table(columns, rows)}")
    return "\n\n".join([*parts, _fit(lines, split)])


def _fit(lines: Sequence[Line], split: str) -> str:
    """Return train and dev errors beside those that the study printed of its own networks."""
    rows = []
    for line in lines:
        own = None if line.study is None else OWN.get(line.study)
        train, dev = (NONE, NONE) if own is None else (f"{error} %" for error in own.errors[:2])
        ours = (NONE, NONE) if line.entry is None else (percent(line.entry.train_error), percent(line.entry.dev_error))
        if own or line.entry:
            rows.append([line.label, train, ours[0], dev, ours[1]])
    floor = [percent(row.positives / row.crops) for row in F1_COLUMN]
    rows.append(["*floor: always with_mask, the study's crops*", floor[0], NONE, floor[1], NONE])
    columns = ["network", f"train, the study{split}", "train, ours", f"dev, the study{split}", "dev, ours"]
    return f"{_FIT}\n\n{table(columns, rows)}"


_FIT: Final = "**Train and dev error**: how well training crops are learned, and the crops that decide when to stop."


def _ours(lines: Sequence[Line], figure: FigureName) -> list[str]:
    values, texts = [], []
    for line in lines:
        estimate = line.estimate(figure)
        values.append(None if estimate is None else estimate.value)
        if line.entry is None or estimate is None:
            texts.append(line.absent)
        elif figure == "error":
            texts.append(
                f"{line.entry.scores.wrong:,} of {line.entry.scores.count:,}: {error_intervals(line.entry.scores)}"
            )
        else:
            texts.append(ratio_interval(estimate))
    return mark_best(values, texts, lowest=figure == "error")


def _theirs(name: str | None, figure: FigureName) -> tuple[str, str]:
    """Return what the study printed of a network, and what that says."""
    if name is None:
        return NONE, NONE
    if name in OWN:
        own, f1 = OWN[name], F1_COLUMN[1]
        said = percent_interval(Figure(own.test_error, *own.test_interval))
        return {
            "error": (f"{own.errors[2]} %", f"{own.test_wrong} of {OWN_PARTS[2]}: {said}"),
            "macro_f1": (f"{f1.printed:.4f} ({f1.part})", f"nothing: 2p/(1+p) of p = {f1.positives}/{f1.crops}"),
            "balanced_accuracy": (NONE, NONE),
        }[figure]
    transfer, figures = TRANSFER[name], TRANSFER[name].figures
    said = percent_interval(Figure(figures.error, *figures.error_interval))
    always = ", always with_mask" if transfer.constant else ""
    return {
        "error": (
            f"{percent(1 - transfer.accuracy, 0)} (accuracy {transfer.accuracy:.2f})",
            f"{figures.wrong} of {figures.count}: {said}{always}",
        ),
        "macro_f1": ("swapped report", ratio(figures.macro_f1, 4)),
        "balanced_accuracy": (NONE, ratio(figures.balanced_accuracy, 4)),
    }[figure]


def _floor_rows(section: Section, figure: FigureName) -> list[list[str]]:
    write = percent if figure == "error" else ratio
    theirs = transfer_floor()
    rows = [
        [f"*floor: always with_mask, the study's {theirs.count} crops*", NONE, write(getattr(theirs, figure)), NONE]
    ]
    for floor, answer in floors(section.entries):
        rows.append([floor_label(floor.count, answer), NONE, NONE, write(getattr(floor, figure))])
    return rows
