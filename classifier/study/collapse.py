"""Why three of the study's transfer networks never learnt: its settings, each alone and together, tried out.

The suspects are its batches of one crop at Adam's default rate, and pixels on 0 … 1 where the backbone's weights expect
ImageNet's mean and spread. Each training starts from the same backbone, whose features are computed once a scaling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.backbones import BACKBONES
from maskdet.classifier.networks.specs import BackboneName, WeightsChoice, build_network, find_network
from maskdet.classifier.study.collapse_rows import CollapseRow
from maskdet.classifier.training.division import divide
from maskdet.classifier.training.recipe import Recipe, Scaling

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

    from maskdet.classifier.training.batches import FeatureBatches

#: Adam's rate in Keras unless told otherwise.
_KERAS_RATE: Final = 1e-3
_PATIENCE: Final = 3
_SCALINGS: Final[tuple[Scaling, ...]] = ("unit", "imagenet")
_LABELS: Final[dict[Scaling, Literal["1/255", "imagenet"]]] = {"unit": "1/255", "imagenet": "imagenet"}


@dataclass(frozen=True, slots=True)
class CollapseOptions:
    """What to try.

    Attributes:
        network: a transfer network.
        weights: of its backbone.
        batches: crops a step.
        rates: of Adam.
        seeds: one training each.
        epochs: at most; the study's patience of 3 may end a training earlier.
        cache: folder of features, None to keep none.
        quiet: no progress bars.
        report: is given each row.
    """

    network: BackboneName = "mobilenet_v2"
    weights: WeightsChoice = "imagenet"
    batches: Sequence[int] = (1, 32)
    rates: Sequence[float] = (_KERAS_RATE,)
    seeds: Sequence[int] = (0, 1)
    epochs: int = 3
    cache: Path | None = None
    quiet: bool = False
    report: Callable[[CollapseRow], None] | None = None


def run_collapse(crops: CropSet, options: CollapseOptions, done: Sequence[CollapseRow] = ()) -> Iterator[CollapseRow]:
    """Train the head once for every seed, batch, rate and scaling; yield what became of each.

    Args:
        crops: all faces.
        options: what to try.
        done: rows of an earlier call, whose trainings are passed over.

    Raises:
        MissingExtraError: torch and torchvision are not installed.
        WeightsError: the backbone's weights cannot be had.
        DatasetError: the crops cannot be divided.
    """
    import torch

    from maskdet.classifier.networks.specs import build_head
    from maskdet.classifier.training.batches import CropBatches, FeatureBatches
    from maskdet.classifier.training.features import cached_features

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
    from maskdet.statistics.confusion import balanced_accuracy, confusion_matrix

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
