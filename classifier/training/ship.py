"""Training the classifier that ships, on every crop, and writing it as ONNX.

Nothing is left to choose or to measure by: epochs and settings are those of the grouped runs, whose dev and test parts
gave the figures, and the temperature is fitted on their dev crops.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.backbones import BACKBONES
from maskdet.classifier.networks.specs import WeightsChoice
from maskdet.classifier.training import mask_net
from maskdet.classifier.training.fit import class_weights
from maskdet.classifier.training.recipe import Recipe
from maskdet.classifier.training.run import NetworkRun
from maskdet.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from maskdet.classifier.training.run import Epoch

CHECKPOINT_FILE: Final = "ship.pt"
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
    quiet: bool = False,
) -> Path:
    """Train on all crops, or on those of all photos but some, and export.

    Args:
        crops: all faces, of all three classes.
        path: the ``.onnx`` file.
        runs: grouped runs of this classifier; others are passed over.
        weights: MobileNetV2's.
        seed: of weights and order.
        device: torch's name of it.
        checkpoint: resumed from where it is there.
        report: is given each finished epoch.
        left_out: stems of photos that take no part, neither in training nor in the temperature, so that the network
            may be tested on them.
        quiet: no progress bars.

    Raises:
        DatasetError: there is no grouped run to take the temperature from, or no crop is left.
        WeightsError: the weights cannot be had.
        MissingExtraError: torch, torchvision or onnx is not installed.
    """
    import torch

    from maskdet.classifier.training.batches import CropBatches
    from maskdet.classifier.training.export import export_classifier
    from maskdet.classifier.training.fit import FitOptions, fit

    temperature = dev_temperature(runs, path, left_out)
    used = np.flatnonzero([Path(record.photo).stem not in left_out for record in crops.records])
    if not len(used):
        raise DatasetError(path, "every photo is left out: nothing remains to train on")
    recipe = replace(mask_net.RECIPE, patience=mask_net.RECIPE.epochs)
    known = BACKBONES["mobilenet_v2"]
    torch.manual_seed(seed)
    network = mask_net.build_mask_net(weights, quiet=quiet)
    batches = CropBatches(crops, mask_net.SIDE, recipe, known.mean, known.std)
    options = FitOptions(
        seed=seed,
        class_weights=class_weights(crops.class_ids[used], recipe.class_power, 3),
        checkpoint=checkpoint,
        device=device,
        label=mask_net.NAME,
        report=report,
        quiet=quiet,
        keep_last=True,
    )
    fit(network, batches, used, used[:_WATCHED], recipe, options)
    shape = recipe.crops
    return export_classifier(
        network.to("cpu"), path, name=mask_net.NAME, side=mask_net.SIDE, mean=known.mean, std=known.std,
        margin=shape.margin, square=shape.square, temperature=temperature,
        metadata={"maskdet_training": json.dumps(_training(crops, len(used), seed))},
        crops=[crops.cut(index, shape) for index in used[:_PARITY_CROPS].tolist()],
    )  # fmt: skip


def dev_temperature(runs: Sequence[NetworkRun], path: Path, left_out: frozenset[str] = frozenset()) -> float:
    """Return the temperature that fits the dev crops of all grouped runs together, but for photos left out.

    Raises:
        DatasetError: there is none.
    """
    from maskdet.classifier.training.temperature import fit_temperature

    mine = [run for run in runs if run.name == mask_net.NAME and run.protocol == "grouped"]
    if not mine:
        raise DatasetError(path, f"needs a grouped run of {mask_net.NAME} first: add --protocol grouped")
    # The logarithm of probabilities is their logits but for a constant a crop, which softmax does not see.
    logits = np.concatenate([np.log(np.maximum(run.parts["dev"].probabilities, 1e-6)) for run in mine])
    labels = np.concatenate([run.parts["dev"].labels for run in mine])
    used = np.array([_photo(name) not in left_out for run in mine for name in run.parts["dev"].crops])
    return fit_temperature(logits[used], labels[used])


def _photo(crop: str) -> str:
    """Return the stem of a crop's photo: ``with_mask/a_0.png`` is the first face of ``a``."""
    return Path(crop).stem.rpartition("_")[0]


def _training(crops: CropSet, used: int, seed: int) -> dict[str, Any]:
    """Return what the file says of its training: what differs from the study's settings, and the data."""
    plain = Recipe().to_dict()
    settings = {key: value for key, value in mask_net.RECIPE.to_dict().items() if value != plain[key]}
    flat = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    return {**flat, "augment": settings["augment"], "crops": used, "data": crops.fingerprint(), "seed": seed}
