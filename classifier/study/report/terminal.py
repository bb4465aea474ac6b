"""The study's main figures on the terminal, and as one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from maskdet.classifier.study.published import OWN_PARTS, TRANSFER_PARTS, study_error
from maskdet.classifier.study.report.pairs import pairs_sentence
from maskdet.classifier.study.report.results import floors
from maskdet.classifier.study.report.text import NONE
from maskdet.classifier.study.sections import Entry, Section
from maskdet.statistics.figures import Figure
from maskdet.terminal.console import cell, console
from maskdet.terminal.report_table import report_table

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA: Final = "maskdet-study/1"
_DIGITS: Final = 6
#: Columns that the table needs with every interval in it.
_WIDE: Final = 120
_NOTES: Final = (
    "In brackets the 95 % interval by photo group.",
    f"study %: what its numbers say of its own {OWN_PARTS[2]} or {TRANSFER_PARTS[1]} test crops, split by crop. That "
    "is another test set than ours: the two errors are not of the same faces.",
)
_FIGURES: Final = ("error", "error_by_group", "accuracy", "macro_f1", "balanced_accuracy", "auc")


def print_study(sections: Sequence[Section]) -> None:
    """Print a table for each task and division, the best of each column in bold, and how many networks differ."""
    screen = console()
    for section in sections:
        screen.print(_section_table(section, screen.width))
        for entry in section.entries:
            if entry.constant is not None:
                words = f"{entry.name} answers {entry.constant} for every test crop: it has learnt nothing."
                screen.print(words, markup=False)
        if section.pairs:
            screen.print(pairs_sentence(section), markup=False)
        screen.print()
    for line in _NOTES:
        screen.print(line, markup=False)


def to_dict(sections: Sequence[Section]) -> dict[str, Any]:
    """Return the same figures and more for JSON."""
    return {"schema": SCHEMA, "sections": [_section_dict(section) for section in sections]}


def _section_table(section: Section, width: int) -> Table:
    narrow = width < _WIDE
    padding = (0, 0) if narrow else (0, 1)
    title = section.title[0].upper() + section.title[1:]
    table = report_table(title, padding=padding)
    table.add_column("network", overflow="fold")
    table.add_column("study %", justify="right")
    for label in ("error %", "macro-F1", "bal. acc." if narrow else "balanced acc.", "AUC"):
        table.add_column(label, no_wrap=True)
    table.add_column("ms", justify="right")
    best = {name: _best(section, name) for name in ("error_by_group", "macro_f1", "balanced_accuracy", "auc")}
    for entry in section.entries:
        theirs = study_error(entry.run.name) if entry.as_in_study and section.task == "binary" else None
        cells = [_cell(name, getattr(entry.scores, name), best[name], narrow=narrow) for name in best]
        table.add_row(
            cell(entry.name),
            NONE if theirs is None else f"{100 * theirs[0]:.1f}",
            *cells,
            f"{entry.run.ms_per_crop:.1f}",
        )
    table.add_section()
    for floor, answer in floors(section.entries):
        cells = [
            f"{100 * floor.error:.1f}",
            *(f"{value:.3f}" for value in (floor.macro_f1, floor.balanced_accuracy, floor.auc)),
        ]
        table.add_row(f"floor: {answer} ({floor.count})", "", *cells, "", style="dim")
    return table


def _best(section: Section, name: str) -> float | None:
    values = [getattr(entry.scores, name).value for entry in section.entries]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    best: float = min(known) if name.startswith("error") else max(known)
    return best


def _cell(name: str, estimate: Figure, best: float | None, *, narrow: bool) -> str:
    """Write a figure and its interval; in a narrow table only the error's."""
    if estimate.value is None:
        return NONE
    percent = name.startswith("error")
    value = f"{100 * estimate.value:.1f}" if percent else f"{estimate.value:.3f}"
    if estimate.value == best:
        value = f"[bold]{value}[/bold]"
    if estimate.low is None or estimate.high is None or (narrow and not percent):
        return value
    ends = [f"{100 * end:.1f}" if percent else f"{end:.3f}".removeprefix("0") for end in (estimate.low, estimate.high)]
    return f"{value} [dim]({'–'.join(ends)})[/dim]"


def _section_dict(section: Section) -> dict[str, Any]:
    return {
        "task": section.task,
        "protocol": section.protocol,
        "earlier_folds": section.earlier,
        "classes": list(section.entries[0].run.classes),
        "networks": [_entry_dict(entry) for entry in section.entries],
        "pairs": [
            asdict(pair)
            | {
                "first": section.entries[pair.first].label,
                "second": section.entries[pair.second].label,
                **{name: _rounded(getattr(pair, name)) for name in ("p", "p_holm", "p_group", "p_group_holm")},
                "differ": pair.differ,
            }
            for pair in section.pairs
        ],
    }


def _entry_dict(entry: Entry) -> dict[str, Any]:
    run, scores = entry.run, entry.scores
    theirs = study_error(run.name) if entry.as_in_study and run.task == "binary" else None
    return {
        "network": run.name,
        "label": entry.label,
        "weights": run.weights,
        "frozen": run.frozen,
        "recipe": run.recipe.get("name"),
        "seed": run.seed,
        "folds": [each.fold for each in entry.runs if each.fold is not None],
        "parameters": run.parameters,
        "trainable": run.trainable,
        "epochs": [len(each.epochs) for each in entry.runs],
        "stopped_early": [each.stopped_early for each in entry.runs],
        "ms_per_crop": _rounded(sum(each.ms_per_crop for each in entry.runs) / len(entry.runs)),
        "train_error": _rounded(entry.train_error),
        "dev_error": _rounded(entry.dev_error),
        "dev_is_test": entry.dev_is_test,
        "crops": scores.count,
        "wrong": scores.wrong,
        **{name: {k: _rounded(v) for k, v in asdict(getattr(scores, name)).items()} for name in _FIGURES},
        "confusion": scores.matrix.tolist(),
        "per_class": {
            name: {key: _rounded(value) for key, value in asdict(row).items()}
            for name, row in zip(run.classes, scores.classes, strict=True)
        },
        "floor": {
            key: run.classes[value] if key == "answer" else _rounded(value)
            for key, value in asdict(scores.floor).items()
        },
        "study_error": None
        if theirs is None
        else dict(zip(("value", "low", "high"), map(_rounded, theirs), strict=True)),
    }


def _rounded(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else float(f"{value:.{_DIGITS}g}")
