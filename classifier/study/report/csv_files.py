"""The study's figures as CSV files, for whoever wants to reckon on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.study.report.mistakes import find_mistakes
from maskdet.classifier.study.sections import Entry, Section
from maskdet.results.rows import csv_text, path_cell
from maskdet.statistics.figures import Figure
from maskdet.statistics.mcnemar import Comparison

_WHERE: Final = ("task", "protocol", "network", "title", "weights", "frozen", "recipe", "seed", "fold")
_ESTIMATES: Final = ("error", "error_by_group", "macro_f1", "balanced_accuracy", "auc")


def networks_csv(sections: Sequence[Section]) -> str:
    """Return every figure, a line a run; trainings with folds have one more line, ``fold`` = ``all``."""
    return _text([_network_row(*each) for each in _each(sections)])


def per_class_csv(sections: Sequence[Section]) -> str:
    """Return precision, recall, F1 and support, a line a run and class."""
    return _text(
        [
            _where(section, entry)
            | {
                "class": name,
                "precision": row.precision,
                "recall": row.recall,
                "f1": row.f1,
                "support": row.support,
            }
            for section, entry in _each(sections)
            for name, row in zip(entry.run.classes, entry.scores.classes, strict=True)
        ]
    )


def confusion_csv(sections: Sequence[Section]) -> str:
    """Return the confusion matrices, a line a cell."""
    return _text(
        [
            _where(section, entry) | {"truth": truth, "answer": answer, "crops": int(entry.scores.matrix[row, column])}
            for section, entry in _each(sections)
            for row, truth in enumerate(entry.run.classes)
            for column, answer in enumerate(entry.run.classes)
        ]
    )


def mcnemar_csv(sections: Sequence[Section]) -> str:
    """Return the pairs of each section; ``p`` is McNemar's by face, ``p_group`` of sign flips by photo group."""
    counts = ("common", "first_only", "second_only", "p", "p_holm", "groups", "p_group", "p_group_holm", "differ")
    header = ("task", "protocol", "first", "second", *counts)
    rows = [
        {
            **dict(zip(header[:4], _pair_names(section, pair), strict=True)),
            **{name: getattr(pair, name) for name in counts},
        }
        for section in sections
        for pair in section.pairs
    ]
    return _text(rows, header)


def _pair_names(section: Section, pair: Comparison) -> tuple[str, ...]:
    labels = (section.entries[place].label for place in (pair.first, pair.second))
    return (section.task, section.division, *labels)


def misclassified_csv(sections: Sequence[Section], known: Mapping[str, CropRecord]) -> str:
    """Return the wrong answers on test crops, the surest of each network first."""
    header = (
        "task", "protocol", "run", "fold", "crop", "photo", "group", "x1", "y1", "x2", "y2", "face_size", "truth",
        "answer", "probability",
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for section in sections:
        for entry in section.entries:
            for mistake in find_mistakes(entry, known):
                box = zip(("x1", "y1", "x2", "y2"), mistake.record.box, strict=True)
                rows.append(
                    {
                        "task": section.task,
                        "protocol": section.division,
                        "run": entry.label,
                        "fold": mistake.fold,
                        "crop": mistake.crop,
                        "photo": path_cell(mistake.record.photo),
                        "group": path_cell(mistake.record.group),
                        **dict(box),
                        "face_size": mistake.face_size,
                        "truth": CLASS_NAMES[mistake.truth],
                        "answer": CLASS_NAMES[mistake.answer],
                        "probability": mistake.probability,
                    }
                )
    return _text(rows, header)


def _each(sections: Sequence[Section]) -> Iterable[tuple[Section, Entry]]:
    for section in sections:
        for entry in section.entries:
            yield from ((section, fold) for fold in entry.folds)
            yield section, entry


def _where(section: Section, entry: Entry) -> dict[str, Any]:
    run = entry.run
    fold = "all" if entry.folds else run.fold
    # Folds are called after their entry; they have a column of their own here.
    title = entry.label.removesuffix(f", fold {run.fold}")
    what = (run.name, title, run.weights, run.frozen, run.recipe.get("name"), run.seed, fold)
    return dict(zip(_WHERE, (section.task, section.division, *what), strict=True))


def _network_row(section: Section, entry: Entry) -> dict[str, Any]:
    run, scores, floor = entry.run, entry.scores, entry.scores.floor
    epochs = [epoch for each in entry.runs for epoch in each.epochs]
    row = _where(section, entry) | {
        "parameters": run.parameters,
        "trainable": run.trainable,
        "epochs": len(epochs),
        "stopped_early": sum(each.stopped_early for each in entry.runs),
        "best_epoch": None if entry.folds else run.best_epoch,
        "seconds_per_epoch": sum(epoch.seconds for epoch in epochs) / len(epochs) if epochs else None,
        "ms_per_crop": sum(each.ms_per_crop for each in entry.runs) / len(entry.runs),
    }
    for part in ("train", "dev", "test"):
        row[f"{part}_crops"] = sum(len(each.parts[part].crops) for each in entry.runs)
    row |= {"train_error": entry.train_error, "dev_error": entry.dev_error, "test_wrong": scores.wrong}
    for name in _ESTIMATES:
        estimate: Figure = getattr(scores, name)
        row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    row |= {
        "floor_error": floor.error,
        "floor_macro_f1": floor.macro_f1,
        "floor_balanced_accuracy": floor.balanced_accuracy,
    }
    overlap = entry.overlap
    row["test_crops_of_training_photos"] = None if overlap is None else overlap.photo
    row["test_crops_of_training_groups"] = None if overlap is None else overlap.group
    return row


def _text(rows: Sequence[dict[str, Any]], header: Sequence[str] = ()) -> str:
    return csv_text([header or rows[0], *([_cell(value) for value in row.values()] for row in rows)])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else value
