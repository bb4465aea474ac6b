"""Whether three of the study's transfer networks can be seen to learn nothing: suspected settings, tried out.

The suspects are its batches of one crop at the default rate of Adam, and pixels on 0 … 1 where the weights of the
backbone expect ImageNet's mean and spread. Each training starts from the same backbone, whose features are computed
once a scaling; what became of it is a line of CSV.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.specs import BACKBONES, BackboneName, WeightsChoice, find_network
from maskdet.classifier.training.division import divide
from maskdet.classifier.training.recipe import Recipe, Scaling
from maskdet.errors import DatasetError
from maskdet.files.atomic import write_bytes
from maskdet.results.rows import csv_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

    from maskdet.classifier.training.batches import FeatureBatches

PixelScaling = Literal["1/255", "imagenet"]
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CollapseRow:
    """One training: ``batch`` crops a step, pixels scaled to 0 … 1 as the study does or as the ImageNet weights expect.

    It collapsed where every training crop gets the same answer. Train accuracy is the final network's, a balanced
    accuracy of 0.5 a constant answer's; dead units are those of the last hidden layer that are zero on every training
    crop.
    """

    name: str
    batch: int
    learning_rate: float
    scaling: PixelScaling
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
    lines: list[Iterable[object]] = [COLUMNS]
    for row in rows:
        values: dict[str, Any] = asdict(row) | {"collapsed": "yes" if row.collapsed else "no"}
        lines.append([f"{value:.{_DIGITS}g}" if key in _FLOATS else value for key, value in values.items()])
    return csv_text(lines)


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
    if values["scaling"] not in get_args(PixelScaling):
        raise ValueError(f"scaling must be one of {', '.join(get_args(PixelScaling))}, not {values['scaling']!r}")
    read: dict[str, Any] = {key: float(values[key]) for key in _FLOATS} | {key: int(values[key]) for key in _WHOLE}
    return CollapseRow(name=values["name"], scaling=values["scaling"], collapsed=values["collapsed"] == "yes", **read)  # type: ignore[arg-type]


#: Adam's rate in Keras unless told otherwise.
KERAS_RATE: Final = 1e-3
_PATIENCE: Final = 3
_SCALINGS: Final[tuple[Scaling, ...]] = ("unit", "imagenet")
_LABELS: Final[dict[Scaling, PixelScaling]] = {"unit": "1/255", "imagenet": "imagenet"}


@dataclass(frozen=True, slots=True)
class CollapseOptions:
    """What to try: one training for each of ``batches`` (crops a step), ``rates`` of Adam, and ``seeds``.

    The study's patience of 3 may end a training before ``epochs``; ``report`` is given each row.
    """

    network: BackboneName = "mobilenet_v2"
    weights: WeightsChoice = "imagenet"
    batches: Sequence[int] = (1, 32)
    rates: Sequence[float] = (KERAS_RATE,)
    seeds: Sequence[int] = (0, 1)
    epochs: int = 3
    cache: Path | None = None
    quiet: bool = False
    report: Callable[[CollapseRow], None] | None = None


def run_collapse(crops: CropSet, options: CollapseOptions, done: Sequence[CollapseRow] = ()) -> Iterator[CollapseRow]:
    """Train the head once for every seed, batch, rate and scaling; yield what became of each that is not ``done``.

    Raises:
        MissingExtraError: torch and torchvision are not installed.
        WeightsError: the backbone's weights cannot be had.
        DatasetError: the crops cannot be divided.
    """
    import torch

    from maskdet.classifier.networks.build import build_head, build_network
    from maskdet.classifier.training.batches import CropBatches, FeatureBatches, cached_features

    known = {(row.name, row.scaling, row.batch, row.learning_rate, row.seed) for row in done}
    wanted = [
        (scaling, Recipe(rate, batch, options.epochs, _PATIENCE, scaling), seed)
        for seed in options.seeds
        for batch in sorted(options.batches, reverse=True)
        for rate in options.rates
        for scaling in _SCALINGS
        if (options.network, _LABELS[scaling], batch, rate, seed) not in known
    ]
    if not wanted:
        return
    spec, backbone = find_network(options.network), BACKBONES[options.network]
    network = build_network(options.network, options.weights, frozen=True, quiet=options.quiet)
    ready: dict[Scaling, FeatureBatches] = {}
    for scaling in _SCALINGS:
        mean, std = (backbone.mean, backbone.std) if scaling == "imagenet" else ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        pixels = CropBatches(crops, spec.side, Recipe(scaling=scaling), mean, std)
        features = cached_features(network, pixels, options.cache, quiet=options.quiet)
        ready[scaling] = FeatureBatches(features, crops.class_ids)
    for scaling, recipe, seed in wanted:
        torch.manual_seed(seed)
        head = build_head(spec.features, spec.dense)
        row = _train(crops, head, ready[scaling], recipe, options, seed)
        if options.report is not None:
            options.report(row)
        yield row


def _train(
    crops: CropSet, head: nn.Module, batches: FeatureBatches, recipe: Recipe, options: CollapseOptions, seed: int
) -> CollapseRow:
    from maskdet.classifier.training.fit import FitOptions, fit, predict
    from maskdet.statistics.scores import balanced_accuracy, confusion_matrix

    parts = divide(crops, task="binary", protocol="study", seed=seed)
    settings = FitOptions(
        seed=seed, label=f"batch {recipe.batch}, {recipe.scaling}", quiet=options.quiet, keep_last=True
    )
    epochs, _ = fit(head, batches, parts["train"], parts["dev"], recipe, settings)
    answers = {}
    for part in ("train", "dev", "test"):
        probabilities, labels = predict(head, batches, parts[part])
        answers[part] = (labels, probabilities.argmax(axis=1))
    accuracy = {part: float((labels == given).mean()) for part, (labels, given) in answers.items()}
    matrix = confusion_matrix(*answers["test"], 2)
    return CollapseRow(
        name=options.network,
        batch=recipe.batch,
        learning_rate=recipe.learning_rate,
        scaling=_LABELS[recipe.scaling],
        seed=seed,
        epochs=len(epochs),
        train_accuracy=accuracy["train"],
        dev_accuracy=accuracy["dev"],
        test_balanced_accuracy=float(balanced_accuracy(matrix)),
        dead_units=_dead_units(head, batches, parts["train"]),
        collapsed=len(np.unique(answers["train"][1])) == 1,
    )


def _dead_units(head: nn.Module, batches: FeatureBatches, train: NDArray[np.int64]) -> float:
    """Return the share of the last hidden layer's units that are zero on every training crop."""
    import torch

    from maskdet.classifier.training.batches import slices

    hidden = head[:-1]
    alive: NDArray[np.bool_] | None = None
    with torch.inference_mode():
        for piece in slices(train, 256):
            fires = (hidden(batches.plain(piece)[0]) > 0).any(dim=0).numpy()
            alive = fires if alive is None else alive | fires
    assert alive is not None
    return float(1 - alive.mean())
