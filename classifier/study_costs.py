"""What the networks cost: parameters beside those the study printed, time to train, time to answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from maskdet.classifier.networks import NETWORKS
from maskdet.classifier.parameter_table import ParameterRow, parameter_table
from maskdet.classifier.study_entries import Entry, Section
from maskdet.classifier.study_format import NONE, mark_best, table
from maskdet.errors import MissingExtraError


def sizes_section(sections: Sequence[Section]) -> str:
    """Return the reported networks' parameters beside the printed ones, and why two ways of counting differ.

    Without torch, which counts ours, the printed ones stand alone.
    """
    used = {entry.run.name for section in sections for entry in section.entries}
    names = [name for name in NETWORKS if name in used]
    if not names:
        return "None of the networks is the study's."
    try:
        return _EXPLAINED + _parameters_table(parameter_table(names))
    except MissingExtraError:
        rows = [[NETWORKS[name].title, f"{NETWORKS[name].printed_total:,}"] for name in names]
        return table(["network", "printed"], rows)


_EXPLAINED: Final = (
    "Keras, which the study uses, counts some things as parameters that torch does not, and the other way round. With "
    "those, ours are the printed numbers.\n\n"
)


def _parameters_table(rows: Sequence[ParameterRow]) -> str:
    columns = [
        "network", "input", "parameters", "of which the study trains", "printed", "printed, trainable",
        "counted as Keras does",
    ]  # fmt: skip
    return table(
        columns,
        [
            [
                row.title,
                row.input,
                *(f"{n:,}" for n in (row.total, row.trainable, row.printed_total, row.printed_trainable)),
                row.explanation or "the same",
            ]
            for row in rows
        ],
    )


def times_table(section: Section) -> str:
    """Return size and times of a section's networks, the least of each marked."""
    entries = section.entries
    columns = [
        _column([float(entry.run.parameters) for entry in entries], ",.0f"),
        _column([float(entry.run.trainable) for entry in entries], ",.0f"),
        _column([_seconds(entry) for entry in entries], ",.1f"),
        _column([_ms(entry) for entry in entries], ",.2f"),
    ]
    rows = [
        [entry.label, parameters, trainable, _epochs(entry), seconds, _minutes(entry), ms]
        for entry, parameters, trainable, seconds, ms in zip(entries, *columns, strict=True)
    ]
    rows.append(["*floor: a constant answer*", "0", "0", "0", "0", "0", "0"])
    return table(["network", "parameters", "trained", "epochs (kept)", "s an epoch", "min in all", "ms a crop"], rows)


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
