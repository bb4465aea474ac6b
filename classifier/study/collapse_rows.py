"""The collapse experiment's trainings: which settings leave a transfer net answering the same for everything.

Written and read as CSV, one line a training.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from maskdet.errors import DatasetError
from maskdet.files.atomic import write_bytes

Scaling = Literal["1/255", "imagenet"]
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class CollapseRow:
    """One training.

    Attributes:
        name: of the network, as on the command line.
        batch: crops a step.
        learning_rate: of Adam.
        scaling: of the pixels: to 0 … 1 as the study does, or as the backbone's ImageNet weights expect.
        seed: of weights and order.
        epochs: trained.
        train_accuracy: of the final network on the training crops, 0 to 1.
        dev_accuracy: on dev.
        test_balanced_accuracy: on the test crops; 0.5 for a constant answer.
        dead_units: share of the last hidden layer's units that are zero on every training crop, 0 to 1.
        collapsed: every training crop gets the same answer, so train accuracy is the majority rate.
    """

    name: str
    batch: int
    learning_rate: float
    scaling: Scaling
    seed: int
    epochs: int
    train_accuracy: float
    dev_accuracy: float
    test_balanced_accuracy: float
    dead_units: float
    collapsed: bool


COLUMNS: Final = tuple(field.name for field in fields(CollapseRow))
_FLOATS: Final = ("learning_rate", "train_accuracy", "dev_accuracy", "test_balanced_accuracy", "dead_units")
_WHOLE: Final = ("batch", "seed", "epochs")


def format_collapse(rows: Iterable[CollapseRow]) -> str:
    """Return the CSV's text."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        values: dict[str, Any] = asdict(row)
        values |= {key: f"{values[key]:.{_DIGITS}g}" for key in _FLOATS}
        writer.writerow(values | {"collapsed": "yes" if row.collapsed else "no"})
    return text.getvalue()


def save_collapse(rows: Iterable[CollapseRow], path: Path) -> None:
    """Write the rows.

    Raises:
        SourceError: the file cannot be written.
    """
    write_bytes(path, format_collapse(rows).encode())


def load_collapse(path: Path) -> list[CollapseRow]:
    """Read the rows.

    Raises:
        DatasetError: the file is missing or damaged, with the line.
    """
    rows, line = [], 1
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise DatasetError(path, f"its first line must be {','.join(COLUMNS)}")
            for values in reader:
                line = reader.line_num
                rows.append(_parse(values))
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DatasetError(f"{path}:{line}", f"cannot be read ({type(error).__name__}: {error})") from error
    return rows


def _parse(values: dict[str, str]) -> CollapseRow:
    if values["collapsed"] not in ("yes", "no"):
        raise ValueError(f"collapsed must be yes or no, not {values['collapsed']!r}")
    if values["scaling"] not in get_args(Scaling):
        raise ValueError(f"scaling must be one of {', '.join(get_args(Scaling))}, not {values['scaling']!r}")
    read: dict[str, Any] = {key: float(values[key]) for key in _FLOATS} | {key: int(values[key]) for key in _WHOLE}
    return CollapseRow(name=values["name"], scaling=values["scaling"], collapsed=values["collapsed"] == "yes", **read)  # type: ignore[arg-type]
