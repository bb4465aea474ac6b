"""What the study printed, what its numbers really say, and ours, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from maskdet.classifier.networks.specs import STUDY_NETWORKS, NetworkSpec
from maskdet.classifier.study.published import (
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
    join_names,
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
    "error": (
        "**Test error**: share of test crops answered wrongly; lower is better, in brackets 95 % intervals. What the "
        "study's numbers say is derived: a whole per cent of 394 crops leaves four counts (the 13 crops that it lists "
        "fit CNN-B alone), a report whose truth and answer are swapped gives the matrix. Its test crops are another "
        "draw than ours, and *ours* is trained by our recipe where a row does not say *the study's recipe*: ours "
        "beside printed compares recipe and network together."
    ),
    "macro_f1": (
        "**F1**: the study prints one F1 in which every crop with an output above 0 counts as *without mask*, or both "
        "classes' with truth and answer swapped. CNN-A's is the same constant in every epoch; that of CNN-B and CNN-C "
        "drifts from it as outputs underflow to exactly 0 and those crops no longer count (derived: each value is that "
        "of a whole number of crops). The other two columns are macro-F1, the mean of both classes' F1. Higher is "
        "better."
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
        parts.append(f"{title}\n\n{table(columns, rows)}")
    return "\n\n".join(parts)


def _ours(lines: Sequence[Line], figure: FigureName) -> list[str]:
    estimates = [line.estimate(figure) for line in lines]
    texts = [
        line.absent if estimate is None else _our_cell(line, figure, estimate)
        for line, estimate in zip(lines, estimates, strict=True)
    ]
    values = [None if estimate is None else estimate.value for estimate in estimates]
    return mark_best(values, texts, lowest=figure == "error")


def _our_cell(line: Line, figure: FigureName, estimate: Figure) -> str:
    assert line.entry is not None
    scores, constant = line.entry.scores, line.entry.constant
    if figure == "error":
        always = f", always {constant}" if constant else ""
        return f"{scores.wrong:,} of {scores.count:,}: {error_intervals(scores)}{always}"
    return f"always {constant}" if constant else ratio_interval(estimate)


def _theirs(name: str | None, figure: FigureName) -> tuple[str, str]:
    """Return what the study printed of a network, and what that says."""
    if name is None:
        return NONE, NONE
    if name in OWN:
        own, f1 = OWN[name], F1_COLUMN[1]
        said = "–".join(percent(end).removesuffix(" %") for end in own.test_interval)
        (fewest, most), uncounted = own.test_wrong, [n for n in own.uncounted if n]
        return {
            "error": (f"{own.errors[2]} %", f"{fewest} to {most} of {OWN_PARTS[2]} ({said} by face)"),
            "macro_f1": (
                f"{', '.join(f'{value:.4f}' for value in own.f1)} ({f1.part})",
                f"nothing: 2p/(1+p) of p = {f1.positives}/{f1.crops}"
                + (f", {join_names([str(n) for n in uncounted])} crops not counted" if uncounted else ""),
            ),
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
