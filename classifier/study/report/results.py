"""Tables of our own results: every figure of each network, class by class and fold by fold, the floor in each.

What the networks cost is another: parameters beside those the study printed, time to train, time to answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from maskdet.classifier.networks.parameters import ParameterRow, parameter_table
from maskdet.classifier.networks.specs import STUDY_NETWORKS
from maskdet.classifier.study.published import ELSEWHERE
from maskdet.classifier.study.report.text import (
    NONE,
    error_intervals,
    mark_best,
    percent,
    ratio,
    ratio_interval,
    table,
)
from maskdet.classifier.study.scores import Floor
from maskdet.classifier.study.sections import Entry, Section
from maskdet.errors import MissingExtraError


def floors(entries: Iterable[Entry]) -> list[tuple[Floor, str]]:
    """Return each different floor of the entries, with the name of the class that it always answers."""
    found = {entry.scores.floor: entry.run.classes[entry.scores.floor.answer] for entry in entries}
    return sorted(found.items(), key=lambda pair: (pair[0].count, pair[0].error))


def floor_label(count: int, answer: str) -> str:
    """Call a floor by what it is.

    >>> floor_label(1234, "with_mask")
    '*floor: always with_mask, 1,234 crops*'
    """
    return f"*floor: always {answer}, {count:,} crops*"


def figures_table(section: Section) -> str:
    """Return every figure of a section's networks, the floor last."""
    entries = section.entries
    scores = [entry.scores for entry in entries]
    shown = {
        name: [
            # Answers that are all alike may still be ranked: the AUC is a figure, the others are none.
            f"always {entry.constant}"
            if entry.constant and name != "auc"
            else ratio_interval(getattr(entry.scores, name))
            for entry in entries
        ]
        for name in ("macro_f1", "balanced_accuracy", "auc")
    }
    marked = [
        mark_best([one.error.value for one in scores], [error_intervals(one) for one in scores], lowest=True),
        *(mark_best([getattr(one, name).value for one in scores], texts) for name, texts in shown.items()),
    ]
    rows = [
        [entry.name, percent(entry.train_error), percent(entry.dev_error) + (" †" if entry.dev_is_test else ""), *rest]
        for entry, *rest in zip(entries, *marked, strict=True)
    ]
    for floor, answer in floors(entries):
        own = [percent(floor.error), ratio(floor.macro_f1), ratio(floor.balanced_accuracy), ratio(floor.auc)]
        rows.append([floor_label(floor.count, answer), NONE, NONE, *own])
    for other in ELSEWHERE:
        if other.task == section.task == "three":
            own = [percent(1 - other.accuracy, 0), ratio(other.macro_f1, 2), NONE, NONE]
            rows.append([f"*published elsewhere: {other.what}*", NONE, NONE, *own])
    columns = ["network", "train error", "dev error", "test error", "macro-F1", "balanced accuracy", "ROC-AUC"]
    note = "\n\n† Dev is part of the test crops, as with the study's transfer nets: when to stop was chosen on them."
    return table(columns, rows) + (note if any(entry.dev_is_test for entry in entries) else "")


def classes_table(section: Section) -> str:
    """Return precision, recall and F1 of each class, the best F1 of each class marked, and the floor's."""
    rows = []
    for index, name in enumerate(section.entries[0].run.classes):
        scores = [entry.scores.classes[index] for entry in section.entries]
        f1 = mark_best([one.f1 for one in scores], [ratio(one.f1) for one in scores])
        rows += [
            [name, entry.label, ratio(one.precision), ratio(one.recall), best, f"{one.support:,}"]
            for entry, one, best in zip(section.entries, scores, f1, strict=True)
        ]
        for floor, answer in floors(section.entries):
            # A constant answer has the class's share as precision and finds all of it; of the others nothing.
            share = 1 - floor.error if answer == name else 0.0
            figures = [ratio(share), ratio(float(answer == name)), ratio(2 * share / (1 + share))]
            rows.append([name, floor_label(floor.count, answer), *figures, NONE])
    return table(["class", "network", "precision", "recall", "F1", "crops"], rows, left=2)


def folds_table(section: Section) -> str:
    """Return the test error fold by fold, and its floor; empty where nothing has folds."""
    entries = [entry for entry in section.entries if entry.folds]
    if not entries:
        return ""
    numbers = sorted({fold.run.fold for entry in entries for fold in entry.folds if fold.run.fold is not None})
    marked = [_error_column([_fold(entry, number) for entry in entries]) for number in numbers]
    marked.append(_error_column(entries))
    rows = [[entry.name, *rest] for entry, *rest in zip(entries, *marked, strict=True)]
    for floor, answer in floors(entries):
        sample = next(entry for entry in entries if entry.scores.floor == floor)
        found = [_fold(sample, number) for number in numbers]
        cells = [NONE if one is None else percent(one.scores.floor.error) for one in found]
        rows.append([floor_label(floor.count, answer), *cells, percent(floor.error)])
    return table(["network", *(f"fold {number}" for number in numbers), "all"], rows)


def overlap_table(section: Section) -> str:
    """Return how many test crops show what training had seen, and the errors on either kind; empty if unknown."""
    rows, floor_rows = [], set()
    for entry in section.entries:
        overlap = entry.overlap
        if overlap is None:
            return ""
        of = (overlap.group_floor, overlap.group), (overlap.rest_floor, overlap.rest)
        floor_rows.add((entry.scores.floor.count, entry.run.classes[entry.scores.floor.answer], *of))
        total = overlap.group + overlap.rest
        rows.append(
            [
                entry.label,
                f"{overlap.photo:,} of {total:,}",
                f"{overlap.group:,} of {total:,}",
                _share(overlap.group_wrong, overlap.group),
                _share(overlap.rest_wrong, overlap.rest),
            ]
        )
    for count, answer, *parts in sorted(floor_rows):
        rows.append([floor_label(count, answer), NONE, NONE, *(_share(*part) for part in parts)])
    columns = [
        "network", "test crops whose photo is in train", "whose photo group is in train", "error on these",
        "error on the rest",
    ]  # fmt: skip
    return table(columns, rows)


def _share(wrong: int, count: int) -> str:
    return f"{wrong} of {count:,}: {percent(wrong / count)}" if count else NONE


def _fold(entry: Entry, number: int) -> Entry | None:
    return next((fold for fold in entry.folds if fold.run.fold == number), None)


def _error_column(entries: Sequence[Entry | None]) -> list[str]:
    values = [None if entry is None else entry.scores.error.value for entry in entries]
    return mark_best(values, [percent(value) for value in values], lowest=True)


def sizes_section(sections: Sequence[Section]) -> str:
    """Return the reported networks' parameters beside the printed ones, and why two ways of counting differ.

    Without torch, which counts ours, the printed ones stand alone.
    """
    used = {entry.run.name for section in sections for entry in section.entries}
    names = [name for name in STUDY_NETWORKS if name in used]
    if not names:
        return "None of the networks is the study's."
    try:
        return _EXPLAINED + _parameters_table(parameter_table(names))
    except MissingExtraError:
        rows = [[STUDY_NETWORKS[name].title, f"{STUDY_NETWORKS[name].printed_total:,}"] for name in names]
        return table(["network", "printed"], rows)


_EXPLAINED: Final = (
    "Keras, which the study uses, counts some things as parameters that torch does not, and the other way round. With "
    "those, ours are the printed numbers.\n\n"
    "The counts are all that the study prints of its networks. Inputs and layers below are *inferred*: the regular "
    "ones that give each count to the unit. For CNN-C nothing else fits (conclusive), for CNN-B hardly anything "
    "(strong), for CNN-A other layers may (probable). A backbone's head fixes the size of the map that is "
    "flattened, which a range of inputs gives; InceptionV3's map of 1×1 comes from many inputs, and "
    "from any if it is averaged.\n\n"
)


def _parameters_table(rows: Sequence[ParameterRow]) -> str:
    columns = [
        "network", "input", "inferred", "parameters", "of which the study trains", "printed", "printed, trainable",
        "counted as Keras does",
    ]  # fmt: skip
    return table(
        columns,
        [
            [
                row.title,
                row.input,
                STUDY_NETWORKS[row.name].inferred,
                *(f"{n:,}" for n in (row.total, row.trainable, row.printed_total, row.printed_trainable)),
                row.explanation or "the same",
            ]
            for row in rows
        ],
    )


def times_table(section: Section) -> str:
    """Return size and times of a section's networks, the least of each marked."""
    entries = section.entries
    parameters, trainable = (
        _column([float(getattr(entry.run, name)) for entry in entries], ",.0f") for name in ("parameters", "trainable")
    )
    rows = [
        [
            entry.name,
            total,
            trained,
            _epochs(entry),
            _ended(entry),
            _plain(_seconds(entry), 1),
            _minutes(entry),
            _plain(_ms(entry), 2),
        ]
        for entry, total, trained in zip(entries, parameters, trainable, strict=True)
    ]
    rows.append(["*floor: a constant answer*", "0", "0", "0", NONE, "0", "0", "0"])
    columns = ["parameters", "trained", "epochs (kept)", "ended by", "s an epoch", "min in all", "ms a crop"]
    return table(["network", *columns], rows)


def _plain(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"


def _ended(entry: Entry) -> str:
    """Say what ended the training, or how many of the folds' ended early."""
    early = sum(run.stopped_early for run in entry.runs)
    if not early:
        return "all epochs done"
    folds = f" in {early} of {len(entry.runs)}" if len(entry.runs) > 1 else ""
    return f"early stopping, patience {entry.run.recipe.get('patience')}{folds}"


def _column(values: Sequence[float | None], form: str) -> list[str]:
    return mark_best(values, [NONE if value is None else format(value, form) for value in values], lowest=True)


def _seconds(entry: Entry) -> float | None:
    seconds = [epoch.seconds for run in entry.runs for epoch in run.epochs]
    return sum(seconds) / len(seconds) if seconds else None


def _minutes(entry: Entry) -> str:
    return f"{sum(epoch.seconds for run in entry.runs for epoch in run.epochs) / 60:,.1f}"


def _ms(entry: Entry) -> float:
    return sum(run.ms_per_crop for run in entry.runs) / len(entry.runs)


def _epochs(entry: Entry) -> str:
    return ", ".join(f"{len(run.epochs)} ({run.best_epoch})" for run in entry.runs)
