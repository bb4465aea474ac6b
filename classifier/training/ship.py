"""Training the classifier that ships, on every crop, and writing it as ONNX.

Nothing is left to choose or to measure by: epochs and settings are those of the grouped runs, whose dev and test parts
gave the figures, and the temperature is fitted on their dev crops. Dividing the logits by it changes no answer, only
how sure it sounds (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.specs import BACKBONES, NETWORKS, SHIPPED, WeightsChoice
from maskdet.classifier.training.fit import class_weights
from maskdet.classifier.training.recipe import ONLY_RECIPES, Recipe
from maskdet.classifier.training.run import NetworkRun
from maskdet.datasets.photos.seen import KEY, marks_of
from maskdet.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from maskdet.classifier.training.run import Epoch

CHECKPOINT_FILE: Final = "ship.pt"
#: Where every answer is right (or wrong), certainty has no best value short of infinity; here it ends.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
#: Crops that stand in for dev; the last epoch is kept whatever they say.
_WATCHED, _PARITY_CROPS = 64, 16


def ship_classifier(
    crops: CropSet,
    path: Path,
    runs: Sequence[NetworkRun],
    *,
    weights: WeightsChoice = "imagenet",
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | None = None,
    report: Callable[[Epoch], None] | None = None,
    left_out: frozenset[str] = frozenset(),
    epochs: int | None = None,
    quiet: bool = False,
) -> Path:
    """Train on all crops, or on those of all photos but some, and export; a ``.pt`` is the backbone alone.

    Photos whose stems are in ``left_out`` take no part, neither in training nor in the temperature, so that the network
    may be tested on them. Of the runs, the grouped ones of this classifier count. The training goes on from a
    checkpoint.

    Raises:
        DatasetError: there is no grouped run to take the temperature from, or no crop is left.
        WeightsError: the weights cannot be had.
        MissingExtraError: torch, torchvision or onnx is not installed.
    """
    import torch

    from maskdet.classifier.networks.backbones import seen_by_start, write_start
    from maskdet.classifier.networks.build import build_network
    from maskdet.classifier.training.batches import CropBatches
    from maskdet.classifier.training.fit import FitOptions, fit

    start_only = path.suffix == ".pt"
    temperature = 1.0 if start_only else dev_temperature(runs, path, left_out)
    used = np.flatnonzero([Path(record.photo).stem not in left_out for record in crops.records])
    if not len(used):
        raise DatasetError(path, "every photo is left out: nothing remains to train on")
    recipe = replace(ONLY_RECIPES[SHIPPED], patience=ONLY_RECIPES[SHIPPED].epochs)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs, patience=epochs)
    side, known = NETWORKS[SHIPPED].side, BACKBONES["mobilenet_v2"]
    torch.manual_seed(seed)
    network = build_network(SHIPPED, weights, quiet=quiet)
    batches = CropBatches(crops, side, recipe, known.mean, known.std)
    options = FitOptions(
        seed=seed,
        class_weights=class_weights(crops.class_ids[used], recipe.class_power, 3),
        checkpoint=checkpoint,
        device=device,
        label=SHIPPED,
        report=report,
        quiet=quiet,
        keep_last=True,
    )
    fit(network, batches, used, used[:_WATCHED], recipe, options)
    marks = marks_of(photos_of(crops, used), seen_by_start(weights))
    if start_only:
        write_start(network.features, marks, path)
        return path
    return export_shipped(network, path, crops, used, temperature, recipe, marks=marks, seed=seed, left_out=left_out)


def export_shipped(
    network: nn.Module,
    path: Path,
    crops: CropSet,
    used: NDArray[np.int64],
    temperature: float,
    recipe: Recipe,
    *,
    marks: str,
    seed: int = 0,
    left_out: frozenset[str] = frozenset(),
) -> Path:
    """Write a trained classifier as ONNX, with what it says of its training.

    Args:
        used: indices of the crops that it was trained on.
        marks: of every photo that it has seen, see ``maskdet.datasets.photos.seen``.
        left_out: stems of photos that it is said to leave out.

    Raises:
        MissingExtraError: onnx is not installed.
    """
    from maskdet.classifier.training.export import export_classifier

    known, shape = BACKBONES["mobilenet_v2"], recipe.crops
    path.parent.mkdir(parents=True, exist_ok=True)
    return export_classifier(
        network.to("cpu"), path, name=SHIPPED, side=NETWORKS[SHIPPED].side, mean=known.mean, std=known.std,
        margin=shape.margin, square=shape.square, temperature=temperature,
        metadata={
            "maskdet_training": json.dumps(_training(crops, recipe, len(used), seed, left_out)),
            KEY: marks,
        },
        crops=[crops.cut(at, shape) for at in used[:_PARITY_CROPS].tolist()],
    )  # fmt: skip


def photos_of(crops: CropSet, used: NDArray[np.int64]) -> list[Path]:
    """Return the photos that crops, given by their indices, were cut out of."""
    names = {crops.records[at].photo for at in used.tolist()}
    return [photo.picture.path for photo in crops.photos if photo.picture.path.name in names]


def dev_temperature(runs: Sequence[NetworkRun], path: Path, left_out: frozenset[str] = frozenset()) -> float:
    """Return the temperature that fits the dev crops of all grouped runs together, but for photos left out.

    Raises:
        DatasetError: there is none.
    """
    mine = [run for run in runs if run.name == SHIPPED and run.protocol == "grouped"]
    if not mine:
        raise DatasetError(path, f"needs a grouped run of {SHIPPED} first: add --protocol grouped")
    dev = [run.parts["dev"] for run in mine]
    used = np.array([_photo(name) not in left_out for part in dev for name in part.crops])
    probabilities = np.concatenate([part.probabilities for part in dev])
    return fit_temperature(logits_of(probabilities[used]), np.concatenate([part.labels for part in dev])[used])


def logits_of(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return (N, C) logits of (N, C) probabilities, but for a constant a row, which softmax does not see."""
    return np.log(np.maximum(probabilities.astype(np.float64), 1e-6))


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the temperature with the least negative log-likelihood, to be fitted on data not trained on.

    The likelihood of (N, C) logits and (N,) class ids is concave in 1 / temperature, so its slope has one zero. The
    answer is above 1 for a network that is too sure of itself; between ``MIN_TEMPERATURE`` and ``MAX_TEMPERATURE``.

    Raises:
        ValueError: the shapes do not fit, a label is no class, or a logit is not finite.

    Three of four answers right, each by the same lead of 2: the best probability is 3/4, so 2 / T = log 3.

    >>> logits = np.array([[2.0, 0.0]] * 4)
    >>> round(fit_temperature(logits, np.array([0, 0, 0, 1])), 6) == round(2 / float(np.log(3)), 6)
    True
    """
    from scipy.optimize import brentq
    from scipy.special import softmax

    if logits.ndim != 2 or labels.shape != (len(logits),) or not len(logits):
        raise ValueError(f"expected (N, C) logits and (N,) labels, N at least 1, got {logits.shape} and {labels.shape}")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"labels must be class ids from 0 to {logits.shape[1] - 1}")
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite")
    exact = logits.astype(np.float64)
    wanted = exact[np.arange(len(labels)), labels].mean()

    def too_sure(logarithm: float) -> float:
        """Return by how much the expected logit exceeds the label's: above 0, a higher temperature fits better."""
        return float((softmax(exact / np.exp(logarithm), axis=1) * exact).sum(axis=1).mean() - wanted)

    low, high = np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)
    if too_sure(low) <= 0:
        return MIN_TEMPERATURE
    return MAX_TEMPERATURE if too_sure(high) > 0 else float(np.exp(brentq(too_sure, low, high, xtol=1e-13)))


def _photo(crop: str) -> str:
    """Return the stem of a crop's photo: ``with_mask/a_0.png`` is the first face of ``a``."""
    return Path(crop).stem.rpartition("_")[0]


def _training(crops: CropSet, recipe: Recipe, used: int, seed: int, left_out: frozenset[str]) -> dict[str, Any]:
    """Return what the file says of its training: what differs from the study's settings, the data, what is left out."""
    there = sorted(left_out & {photo.picture.path.stem for photo in crops.photos})
    plain = Recipe().to_dict()
    settings = {key: value for key, value in recipe.to_dict().items() if value != plain[key]}
    flat = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    return {
        **flat,
        "augment": settings["augment"],
        "crops": used,
        "data": crops.fingerprint(),
        "seed": seed,
        **({"left_out": there} if there else {}),
    }
