"""Training one network under one protocol, from the crops to the folder that reports are made from."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.parameters import count_parameters
from maskdet.classifier.networks.specs import (
    BACKBONES,
    SHIPPED,
    NetworkSpec,
    TaskName,
    Triple,
    WeightsChoice,
    find_network,
)
from maskdet.classifier.training.division import Division, divide
from maskdet.classifier.training.fit import class_weights
from maskdet.classifier.training.recipe import Recipe, RecipeName, choose_recipe
from maskdet.classifier.training.run import (
    PARTS,
    RUN_FILE,
    TASK_CLASSES,
    Epoch,
    NetworkRun,
    PartName,
    Predictions,
    ProtocolName,
    load_run,
    save_run,
)
from maskdet.datasets.photos.seen import marks_of

if TYPE_CHECKING:
    from torch import nn

    from maskdet.classifier.training.batches import Batches

CHECKPOINT_FILE: Final = "checkpoint.pt"
_SPEED_BATCH, _SPEED_ROUNDS = 16, 5


@dataclass(frozen=True, slots=True)
class Plan:
    """One training to be done: protocol, fold of the grouped one (0 to 4), the backbone's weights, seed, device.

    ``recipe`` is None for the one that ``recipe_name`` gives. The division is the same for every seed.
    """

    network: str
    protocol: ProtocolName = "study"
    fold: int = 0
    weights: WeightsChoice = "imagenet"
    recipe_name: RecipeName = "ours"
    recipe: Recipe | None = None
    seed: int = 0
    device: str = "cpu"
    asked: TaskName = "binary"

    @property
    def task(self) -> TaskName:
        """The classes it tells apart: as asked, but a network of three classes has three."""
        return "three" if self.spec.task == "three" else self.asked

    @property
    def spec(self) -> NetworkSpec:
        """The network."""
        return find_network(self.network)

    @property
    def has_backbone(self) -> bool:
        """Whether it starts from torchvision's network."""
        return self.spec.backbone is not None

    @property
    def frozen(self) -> bool:
        """Whether the backbone keeps its weights."""
        return self.has_backbone and not self.spec.fine_tuned and self.weights != "none"

    @property
    def origin(self) -> str:
        """What the weights start from, in one word: a file that is not torchvision's by its name."""
        backbone = self.spec.backbone
        if backbone is None or self.weights == "none":
            return "random"
        if isinstance(self.weights, Path) and self.weights.is_file():
            published = BACKBONES[backbone].file.rpartition("-")[2].partition(".")[0]
            # torchvision names its files by the beginning of their SHA-256.
            with self.weights.open("rb") as file:
                if not hashlib.file_digest(file, "sha256").hexdigest().startswith(published):
                    return self.weights.stem
        return "imagenet"

    @property
    def folder(self) -> str:
        """Name of the run's folder: the same settings by name give the same folder."""
        parts = [self.network, self.protocol if self.protocol == "study" else f"fold{self.fold + 1}"]
        # Once: of a file it is read from its content.
        if self.has_backbone and (origin := self.origin) != "imagenet":
            parts.append("scratch" if origin == "random" else origin)
        if self.recipe_name != "ours":
            parts.append("as-printed")
        if self.task != self.spec.task:
            parts.append("three")
        if self.seed:
            parts.append(f"seed{self.seed}")
        return "-".join(parts)

    def chosen_recipe(self) -> Recipe:
        """Return the settings."""
        return self.recipe or choose_recipe(self.spec, self.recipe_name, frozen=self.frozen)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a training keeps its files, and whom it tells of epochs.

    A folder of figures in ``runs``, features in ``cache``, and in ``models`` the classifiers of the grouped folds.
    """

    runs: Path
    cache: Path | None = None
    models: Path | None = None
    report: Callable[[Plan, Epoch], None] | None = None
    quiet: bool = False


def train_plan(plan: Plan, crops: CropSet, around: Surroundings) -> NetworkRun:
    """Train as planned, or read the run where it is finished; one that was broken off goes on.

    Raises:
        WeightsError: a backbone's weights cannot be had, or a checkpoint is of another training.
        DatasetError: the crops cannot be divided, or a finished run's folder is damaged.
    """
    folder = around.runs / plan.folder
    if (folder / RUN_FILE).exists():
        return load_run(folder)
    import torch

    from maskdet.classifier.networks.build import build_network
    from maskdet.classifier.training.batches import CropBatches, FeatureBatches, cached_features
    from maskdet.classifier.training.fit import FitOptions, fit, gains_by_bf16, predict

    recipe, spec = plan.chosen_recipe(), plan.spec
    own_dev = not plan.has_backbone
    division = divide(crops, task=plan.task, protocol=plan.protocol, fold=plan.fold, own_dev=own_dev)
    torch.manual_seed(plan.seed)
    network = build_network(spec.name, plan.weights, frozen=plan.frozen, task=plan.task, quiet=around.quiet)
    mean, std = _scaling(spec, recipe)
    pixels = CropBatches(crops, spec.side, recipe, mean, std)
    trained: nn.Module = network
    batches: Batches = pixels
    if plan.frozen:
        features = cached_features(network, pixels, around.cache, seed=plan.seed, quiet=around.quiet)
        trained, batches = network.head, FeatureBatches(features, crops.class_ids)
    report = around.report
    options = FitOptions(
        seed=plan.seed,
        class_weights=class_weights(
            crops.class_ids[division["train"]], recipe.class_power, len(TASK_CLASSES[plan.task])
        ),
        checkpoint=folder / CHECKPOINT_FILE,
        device=plan.device,
        label=spec.title,
        report=None if report is None else lambda epoch: report(plan, epoch),
        quiet=around.quiet,
        bf16=gains_by_bf16(trained, plan.device),
    )
    epochs, best = fit(trained, batches, division["train"], division["dev"], recipe, options)
    names = [record.crop for record in crops.records]
    parts: dict[PartName, Predictions] = {}
    for part in PARTS:
        probabilities, labels = predict(trained, batches, division[part], plan.device)
        parts[part] = Predictions(tuple(names[at] for at in division[part]), labels, probabilities)
    if around.models is not None and plan.network == SHIPPED and plan.protocol == "grouped":
        _keep_model(network, plan, crops, division, parts["dev"], around.models / f"{plan.folder}.onnx")
    total, trainable = count_parameters(network)
    settings = {"name": plan.recipe_name, **recipe.to_dict(), **({"arithmetic": "bf16"} if options.bf16 else {})}
    run = NetworkRun(
        name=plan.network, title=spec.title, task=plan.task, protocol=plan.protocol,
        fold=plan.fold if plan.protocol == "grouped" else None, weights=plan.origin, frozen=plan.frozen,
        recipe=settings, seed=plan.seed, parameters=total, trainable=trainable,
        epochs=epochs, best_epoch=best, ms_per_crop=_speed(network.to("cpu"), spec.side), parts=parts,
    )  # fmt: skip
    save_run(run, folder)
    (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    return run


def _keep_model(
    network: nn.Module, plan: Plan, crops: CropSet, division: Division, dev: Predictions, path: Path
) -> None:
    """Write the classifier of a fold, for ``maskdet compare --folds``: its temperature is that of its own dev crops."""
    from maskdet.classifier.networks.backbones import seen_by_start
    from maskdet.classifier.training.ship import export_shipped, fit_temperature, logits_of, photos_of

    seen = marks_of(photos_of(crops, np.concatenate([division["train"], division["dev"]])), seen_by_start(plan.weights))
    temperature = fit_temperature(logits_of(dev.probabilities), dev.labels)
    export_shipped(
        network, path, crops, division["train"], temperature, plan.chosen_recipe(), marks=seen, seed=plan.seed
    )


def _scaling(spec: NetworkSpec, recipe: Recipe) -> tuple[Triple, Triple]:
    """Return what is subtracted from pixels on the scale 0 … 1, and what they are divided by."""
    if recipe.scaling == "unit":
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if spec.backbone is None:
        return (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    return BACKBONES[spec.backbone].mean, BACKBONES[spec.backbone].std


def _speed(network: nn.Module, side: int) -> float:
    """Return one crop's share of a batch of 16 through the network on the CPU, in milliseconds: the best of five."""
    import torch

    network.eval()
    images = torch.rand(_SPEED_BATCH, 3, side, side)
    times = []
    with torch.inference_mode():
        for _ in range(_SPEED_ROUNDS):
            start = time.perf_counter()
            network(images)
            times.append(time.perf_counter() - start)
    return min(times) * 1000 / _SPEED_BATCH


def with_epochs(plan: Plan, epochs: int | None) -> Plan:
    """Return the plan with another number of epochs, None for its own."""
    return plan if epochs is None else replace(plan, recipe=replace(plan.chosen_recipe(), epochs=epochs))
