"""The report's section on why three of the study's networks answer the same for every crop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

from maskdet.classifier.networks.specs import STUDY_NETWORKS
from maskdet.classifier.study.collapse import KERAS_RATE, CollapseRow
from maskdet.classifier.study.published import OWN_PARTS, STUCK_LOSS, STUCK_TRAIN_ACCURACY, TRANSFER
from maskdet.classifier.study.report.text import NONE, join_names, percent, ratio, table

_SEEN: Final = "Seen again"


def collapse_title(rows: Sequence[CollapseRow]) -> str:
    """Return the section's heading."""
    outcome = _verdict(rows).lower()
    return f"Three networks that never learned: {outcome}"


def collapse_tally(rows: Sequence[CollapseRow]) -> str:
    """Say how many of the trainings collapsed, by learning rate and batch."""
    counts = []
    for rate in sorted({row.learning_rate for row in rows}):
        of_rate = [row for row in rows if row.learning_rate == rate]
        by_batch = [[row for row in of_rate if row.batch == batch] for batch in sorted({row.batch for row in of_rate})]
        batches = [
            f"{sum(row.collapsed for row in group)} of {len(group)} of batch {group[0].batch}" for group in by_batch
        ]
        counts.append(f"at learning rate {rate:g} {join_names(batches)}")
    return "; ".join(counts)


def _verdict(rows: Sequence[CollapseRow]) -> str:
    """Say whether the collapse was seen, and whether that was at the only rate that the study can be taken to mean."""
    rates = {row.learning_rate for row in rows if row.collapsed}
    if not rates:
        return "Not reproduced"
    return _SEEN if KERAS_RATE in rates else f"{_SEEN} at other learning rates alone"


def collapse_section(rows: Sequence[CollapseRow]) -> str:
    """Return the section's text: what was tried, each cell of it, and each setting by itself."""
    ordered = sorted(rows, key=lambda row: (*_cell(row), row.seed))
    stuck = join_names([STUDY_NETWORKS[name].title for name, transfer in TRANSFER.items() if transfer.constant])
    return "\n\n".join(
        [
            f"In the study {stuck} answer *with_mask* for every crop: their train accuracy stays at "
            f"{STUCK_TRAIN_ACCURACY:.4f}, the share of *with_mask* among the {OWN_PARTS[0]:,} training crops, and "
            f"their loss at {STUCK_LOSS:.3f}, the entropy of that share. Two causes were suspected: Adam at "
            "batch size 1 can push every unit of a ReLU layer below zero, where no gradient brings it back; and pixels "
            "scaled to 0 … 1 are not what the ImageNet weights were trained on.",
            _outcome(ordered),
            f"A training has collapsed where every training crop gets the same answer.{_nearly(ordered)} Dead "
            "units are those of the last hidden layer that are zero on every training crop; with all of them dead the "
            "output is a constant.",
            _cells_table(ordered),
            "The same, by one setting at a time; a mean over cells of unlike numbers of trainings:",
            _settings_table(ordered),
        ]
    )


def _nearly(rows: Sequence[CollapseRow]) -> str:
    """Return a sentence on those that answer as a constant on the test crops alone, a space before it; or nothing."""
    count = sum(not row.collapsed and row.test_balanced_accuracy == 0.5 for row in rows)
    if not count:
        return ""
    return f" So nearly have {count} more: every test crop gets one answer, though not every training crop."


def _outcome(rows: Sequence[CollapseRow]) -> str:
    """Say what was varied and what was not, and whether the study's collapse was seen."""
    networks = join_names(list(dict.fromkeys(_title(row.name) for row in rows)))
    axes = (
        ("batch", sorted({f"{row.batch}" for row in rows}, key=int)),
        ("pixels", sorted({row.scaling for row in rows})),
        ("learning rate", [f"{rate:g}" for rate in sorted({row.learning_rate for row in rows})]),
        ("seed", sorted({f"{row.seed}" for row in rows}, key=int)),
    )
    varied = [f"{name} {join_names(values)}" for name, values in axes if len(values) > 1]
    fixed = [f"{name} {values[0]}" for name, values in axes if len(values) == 1]
    verdict = _verdict(rows)
    unknown = "" if verdict == _SEEN else ", cause unknown"
    return (
        f"**{verdict}{unknown}**. Collapsed: {collapse_tally(rows)}. The study prints no rate; "
        f"{KERAS_RATE:g} is Keras' own. Varied: {', '.join(varied) or 'nothing'}. "
        f"The same in all: {', '.join([*fixed, 'Adam', f'at most {max(row.epochs for row in rows)} epochs'])}. "
        f"Tried on {networks} alone. Not tried: other optimisers and rates of decay, other layers of the head, Keras "
        "itself, and what else the study does not print."
    )


def _cell(row: CollapseRow) -> tuple[int, str, int, str, float]:
    names: list[str] = list(STUDY_NETWORKS)
    place = names.index(row.name) if row.name in names else len(names)
    return (place, row.name, row.batch, row.scaling, row.learning_rate)


def _cells_table(ordered: Sequence[CollapseRow]) -> str:
    lines = []
    groups = [list(group) for _, group in groupby(ordered, _cell)]
    best = max(_mean(group, lambda row: row.test_balanced_accuracy) for group in groups)
    for group in groups:
        row = group[0]
        balanced = _mean(group, lambda row: row.test_balanced_accuracy)
        text = ratio(balanced)
        lines.append(
            [
                _title(row.name),
                str(row.batch),
                row.scaling,
                f"{row.learning_rate:g}",
                f"{sum(row.collapsed for row in group)} of {len(group)}",
                ratio(_mean(group, lambda row: row.train_accuracy)),
                ratio(_mean(group, lambda row: row.dev_accuracy)),
                f"**{text}**" if balanced == best and len(groups) > 1 else text,
                percent(_mean(group, lambda row: row.dead_units), 0),
            ]
        )
    floor = ["*floor: always with_mask*", NONE, NONE, NONE, NONE, ratio(STUCK_TRAIN_ACCURACY, 3), NONE, "0.500", NONE]
    return table(
        [
            "network", "batch", "pixels", "learning rate", "collapsed", "train accuracy", "dev accuracy",
            "test balanced accuracy", "dead units",
        ],
        [*lines, floor],
    )  # fmt: skip


def _settings_table(ordered: Sequence[CollapseRow]) -> str:
    settings: tuple[tuple[str, Callable[[CollapseRow], Any], Callable[[Any], str]], ...] = (
        ("network", lambda row: _cell(row)[:2], lambda key: _title(key[1])),
        ("batch", lambda row: row.batch, str),
        ("pixels", lambda row: row.scaling, str),
        ("learning rate", lambda row: row.learning_rate, "{:g}".format),
    )
    lines = []
    for setting, read, write in settings:
        for value in sorted({read(row) for row in ordered}):
            group = [row for row in ordered if read(row) == value]
            lines.append(
                [
                    setting,
                    write(value),
                    f"{sum(row.collapsed for row in group)} of {len(group)}",
                    ratio(_mean(group, lambda row: row.test_balanced_accuracy)),
                    percent(_mean(group, lambda row: row.dead_units), 0),
                ]
            )
    lines.append(["*floor: always with_mask*", NONE, NONE, "0.500", NONE])
    return table(["setting", "value", "collapsed", "test balanced accuracy", "dead units"], lines, left=2)


def _mean(rows: Sequence[CollapseRow], read: Callable[[CollapseRow], float]) -> float:
    return sum(read(row) for row in rows) / len(rows)


def _title(name: str) -> str:
    return STUDY_NETWORKS[name].title if name in STUDY_NETWORKS else name
