"""The crop study as a whole: which trainings are wanted, doing them one after another, and what could not be done."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.specs import NETWORKS, TaskName, WeightsChoice, find_network
from maskdet.classifier.study.train_plan import Plan, Surroundings, train_plan, with_epochs
from maskdet.classifier.training.division import FOLDS, divide
from maskdet.classifier.training.recipe import ONLY_RECIPES, RecipeName
from maskdet.classifier.training.run import NetworkRun, ProtocolName
from maskdet.errors import DatasetError, MaskdetError, WeightsError

#: In the output folder: one folder a training, the features, the folds' classifiers, the collapse experiment's rows.
RUNS_FOLDER, CACHE_FOLDER, MODELS_FOLDER, COLLAPSE_FILE = "runs", "cache", "models", "collapse.csv"

Protocols = Literal["study", "grouped", "both"]


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """What to train: networks, on how many of the grouped folds, 1 to 5; those not in ``weights`` take ImageNet's."""

    networks: Sequence[str] = tuple(NETWORKS)
    protocols: Protocols = "study"
    folds: int = 1
    recipe: RecipeName = "ours"
    task: TaskName = "binary"
    weights: Mapping[str, WeightsChoice] = field(default_factory=dict)
    seed: int = 0
    epochs: int | None = None
    device: str = "cpu"


def make_plans(options: StudyOptions) -> list[Plan]:
    """Return every training that is wanted, the networks in the order given."""
    divisions: list[tuple[ProtocolName, int]] = []
    if options.protocols != "grouped":
        divisions.append(("study", 0))
    if options.protocols != "study":
        divisions += [("grouped", fold) for fold in range(min(options.folds, FOLDS))]
    return [
        with_epochs(
            Plan(
                name, protocol, fold, options.weights.get(name, "imagenet"),
                "ours" if name in ONLY_RECIPES else options.recipe,
                seed=options.seed, device=options.device, asked=options.task,
            ),
            options.epochs,
        )
        for name in options.networks
        for protocol, fold in divisions
    ]  # fmt: skip


def run_plans(
    plans: Sequence[Plan], crops: CropSet, around: Surroundings, failed: Callable[[Plan, MaskdetError], None]
) -> list[NetworkRun]:
    """Do every training, finished ones being read; one whose weights cannot be had is reported and the others go on."""
    runs = []
    hopeless: set[tuple[str, WeightsChoice]] = set()
    for plan in plans:
        if (plan.network, plan.weights) in hopeless:
            continue
        try:
            runs.append(train_plan(plan, crops, around))
        except WeightsError as error:
            hopeless.add((plan.network, plan.weights))
            failed(plan, error)
    return runs


def assign_weights(values: Sequence[str], networks: Sequence[str]) -> dict[str, WeightsChoice]:
    """Read ``--backbone-weights``: ``none``, ``FILE`` or ``NETWORK=FILE``, for the networks that take part.

    A file without a network's name is given to the network whose tensors it holds. ``none`` is for all backbones that
    no file is given for.

    Raises:
        WeightsError: a file is missing, damaged, or of no network that takes part.
        MaskdetError: an unknown network is named.
    """
    assigned: dict[str, WeightsChoice] = {}
    if "none" in values:
        assigned = dict.fromkeys((name for name in networks if find_network(name).backbone), "none")
    for value in values:
        if value == "none":
            continue
        before, equals, after = value.partition("=")
        if equals and not Path(value).exists():
            assigned[find_network(before).name] = Path(after)
            continue
        path = Path(value)
        owner = _owner(path)
        takers = [name for name in networks if find_network(name).backbone == owner]
        if not takers:
            raise WeightsError(path, f"holds {owner}'s weights, and no such network takes part: add it to --networks")
        assigned |= dict.fromkeys(takers, path)
    return assigned


def _owner(path: Path) -> str:
    from maskdet.classifier.networks.backbones import read_state, recognise

    owner = recognise(read_state("mobilenet_v2", path))
    if owner is None:
        raise WeightsError(path, "holds none of the four backbones' weights: give torchvision's own file")
    return owner


def earlier_folds(crops: CropSet) -> Callable[[NetworkRun], bool]:
    """Return what says of a grouped run whether its test part is none of today's folds: photos were divided otherwise.

    What was trained on folds of another making stays a valid run, but is not pooled or compared with these.
    """

    @cache
    def test_part(task: TaskName, fold: int) -> frozenset[str]:
        places = divide(crops, task=task, protocol="grouped", fold=fold)["test"]
        return frozenset(crops.records[place].crop for place in places.tolist())

    return lambda run: frozenset(run.parts["test"].crops) != test_part(run.task, run.fold or 0)


def check_source(source: Path) -> None:
    """Refuse a folder that is not there, before anything heavy is loaded.

    Raises:
        DatasetError: it is no folder.
    """
    if not source.is_dir():
        raise DatasetError(source, "no such folder: give the one that holds annotations/ and images/")


def describe_machine() -> str:
    """Return the processor and the versions that a training depends on, in a line."""
    import torch
    import torchvision

    from maskdet.sessions.processor import usable_cores

    return (
        f"{platform.machine()}, {usable_cores()} cores, Python {platform.python_version()}, "
        f"torch {torch.__version__}, torchvision {torchvision.__version__}"
    )


# <malloc.h> of glibc.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Let freed memory stay with the process, for the rest of its life; say whether the allocator, glibc's, understood.

    glibc hands large blocks back to the kernel as soon as they are free, and the kernel zeroes each page anew when the
    next step asks for them: of CNN-C, whose gradient alone is 2 GB, that took nearly half of a step.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no such function; no such library; Windows takes no None
        return False
    # In this order: without mapped blocks everything comes from the heap, and the heap is never trimmed.
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, -1))
