"""What one training of one network leaves behind: its predictions, its history, and how it was made, as a folder.

::

    run.json          what was trained, how, and how long it took
    history.csv       one line an epoch
    predictions.csv   one line a crop of train, dev and test: its label and the probability of every class

A network of three classes can be asked the question of the study, with or without mask: both then stand in one table.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from maskdet.classifier.networks.specs import STUDY_NETWORKS, TaskName
from maskdet.errors import DatasetError
from maskdet.files.atomic import write_bytes
from maskdet.results.rows import csv_text

PartName = Literal["train", "dev", "test"]
ProtocolName = Literal["study", "grouped"]

PARTS: Final[tuple[PartName, ...]] = ("train", "dev", "test")
#: By task; the index is the label. The study's positive class is the bare face.
TASK_CLASSES: Final[dict[TaskName, tuple[str, ...]]] = {
    "binary": ("with_mask", "without_mask"),
    "three": ("with_mask", "without_mask", "mask_weared_incorrect"),
}
RUN_FILE, HISTORY_FILE, PREDICTIONS_FILE = "run.json", "history.csv", "predictions.csv"
FORMAT: Final = "maskdet-run/1"
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training crops, numbered from 1: seconds, mean cross-entropy in nats, share of errors, 0 to 1.

    Of train they are measured while training, augmentation included; of dev afterwards.
    """

    number: int
    seconds: float
    train_loss: float
    train_error: float
    dev_loss: float
    dev_error: float


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The answers for N crops of one part, by name: (N,) int64 labels and (N, C) float64 probabilities."""

    crops: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NetworkRun:
    """One training.

    Attributes:
        name: of the network.
        title: for people.
        fold: which of the grouped folds is the test part, None with the study's split.
        weights: what it started from: ``random``, ``imagenet``, or the name of another training's file.
        frozen: the backbone was not trained.
        recipe: every setting, by name.
        trainable: parameters that training changed.
        best_epoch: whose weights the predictions come from.
        ms_per_crop: one crop's share of a batch of 16 through the network on the CPU, in milliseconds.
    """

    name: str
    title: str
    task: TaskName
    protocol: ProtocolName
    fold: int | None
    weights: str
    frozen: bool
    recipe: dict[str, Any]
    seed: int
    parameters: int
    trainable: int
    epochs: tuple[Epoch, ...]
    best_epoch: int
    ms_per_crop: float
    parts: dict[PartName, Predictions]

    @property
    def classes(self) -> tuple[str, ...]:
        """The task's classes; the index is the label."""
        return TASK_CLASSES[self.task]

    @property
    def stopped_early(self) -> bool:
        """Whether training ended before all its epochs, dev loss having been lower before."""
        return len(self.epochs) < int(self.recipe.get("epochs", 0))


def save_run(run: NetworkRun, folder: Path) -> None:
    """Write a run's three files; ``run.json`` comes last, so that a folder that has it is complete.

    Raises:
        SourceError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "format": FORMAT,
        **{key: getattr(run, key) for key in _ABOUT},
        "classes": list(run.classes),
    }
    write_bytes(folder / HISTORY_FILE, _history_text(run.epochs).encode())
    write_bytes(folder / PREDICTIONS_FILE, _predictions_text(run).encode())
    write_bytes(folder / RUN_FILE, (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode())


def load_run(folder: Path) -> NetworkRun:
    """Read a run.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    try:
        about = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise DatasetError(folder / RUN_FILE, f"its format is {about['format']}, expected {FORMAT}")
        epochs = tuple(
            Epoch(int(row["number"]), *(float(row[key]) for key in _EPOCH[1:])) for row in _rows(folder / HISTORY_FILE)
        )
        classes = TASK_CLASSES[about["task"]]
        parts = _parse_predictions(_rows(folder / PREDICTIONS_FILE), classes)
        return NetworkRun(**{key: about[key] for key in _ABOUT}, epochs=epochs, parts=parts)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise DatasetError(folder, f"is no complete run ({type(error).__name__}: {error}): delete it") from error


def load_runs(folder: Path) -> list[NetworkRun]:
    """Return every finished run in a folder, in the order of their names.

    Raises:
        DatasetError: a run is damaged.
    """
    return [load_run(path.parent) for path in sorted(folder.glob(f"*/{RUN_FILE}"))]


#: What ``run.json`` holds, and the columns of ``history.csv``.
_ABOUT: Final = tuple(field.name for field in fields(NetworkRun) if field.name not in ("epochs", "parts"))
_EPOCH: Final = tuple(field.name for field in fields(Epoch))


def _history_text(epochs: Sequence[Epoch]) -> str:
    rows = ([epoch.number, *(f"{getattr(epoch, key):.{_DIGITS}g}" for key in _EPOCH[1:])] for epoch in epochs)
    return csv_text([_EPOCH, *rows])


def _predictions_text(run: NetworkRun) -> str:
    rows: list[list[str]] = [["part", "crop", "label", *run.classes]]
    for part in PARTS:
        answers = run.parts[part]
        columns = (answers.crops, answers.labels.tolist(), answers.probabilities.tolist())
        for crop, label, row in zip(*columns, strict=True):
            rows.append([part, crop, run.classes[label], *(f"{value:.{_DIGITS}f}" for value in row)])
    return csv_text(rows)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _parse_predictions(rows: Sequence[dict[str, str]], classes: Sequence[str]) -> dict[PartName, Predictions]:
    parts: dict[PartName, Predictions] = {}
    for part in PARTS:
        mine = [row for row in rows if row["part"] == part]
        parts[part] = Predictions(
            tuple(row["crop"] for row in mine),
            np.array([classes.index(row["label"]) for row in mine], dtype=np.int64),
            np.array([[float(row[name]) for name in classes] for row in mine], dtype=np.float64).reshape(
                -1, len(classes)
            ),
        )
    return parts


VIEW_SUFFIX: Final = ", asked with or without"
_WANTED: Final = len(TASK_CLASSES["binary"])


def two_class_views(runs: Sequence[NetworkRun]) -> list[NetworkRun]:
    """Return each run of a network that knows three classes only as one of two; the study's networks have no view.

    As everywhere with two classes, crops of *mask_weared_incorrect* are left out. The probabilities of the other two
    classes are divided by their sum: what the network says given that the mask is worn, or is not.
    """
    return [_view(run) for run in runs if run.task == "three" and run.name not in STUDY_NETWORKS]


def is_view(run: NetworkRun) -> bool:
    """Whether a run is a view of another."""
    return run.title.endswith(VIEW_SUFFIX)


def _view(run: NetworkRun) -> NetworkRun:
    title = run.title.split(" (")[0] + VIEW_SUFFIX
    parts = {name: _two_classes(part) for name, part in run.parts.items()}
    return replace(run, title=title, task="binary", parts=parts)


def _two_classes(part: Predictions) -> Predictions:
    kept = np.flatnonzero(part.labels < _WANTED)
    both = part.probabilities[kept, :_WANTED]
    total = both.sum(axis=1, keepdims=True)
    # A network sure of the third class says nothing of the other two.
    shares = np.divide(both, total, out=np.full_like(both, 1 / _WANTED), where=total > 0)
    return Predictions(tuple(part.crops[at] for at in kept.tolist()), part.labels[kept], shares)
