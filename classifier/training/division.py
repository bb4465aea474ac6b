"""Dividing crops into train, dev and test: as the study did, and without leaks.

``study``: by crop, at random, faces of one photo on both sides. The seven networks share one order of the 3,949 binary
crops: the first 3,159 are for training; the study's own networks take the next 395 as dev and 394 as test (one crop
stays over, as in the study's sizes), the transfer networks are tested on all 790. The study stopped these on the test
crops themselves; here a tenth of the training crops is their dev. With three classes the crops of masks worn
incorrectly are divided in the same shares and added, so that the binary crops keep their places.

``grouped``: by group of photos: one of the five folds that ``maskdet convert --folds 5`` writes is the test part; an
eighth of the rest, the selfie series among it, is dev. Fold 5, counted from 0, is the series.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.specs import TaskName
from maskdet.classifier.training.run import PARTS, PartName, ProtocolName
from maskdet.datasets.grouping.folds import split_folds
from maskdet.datasets.grouping.splits import split_grouped
from maskdet.errors import DatasetError

FOLDS: Final = 5
#: The study's shares: 3,159, 395 and 394 of 3,949.
_TRAIN, _DEV, _TEST = 3159 / 3949, 395 / 3949, 394 / 3949
_DEV_OF_TRAIN, _DEV_OF_REST = 0.1, 0.125

Division = dict[PartName, NDArray[np.int64]]


def divide(
    crops: CropSet, *, task: TaskName, protocol: ProtocolName, fold: int = 0, seed: int = 0, own_dev: bool = False
) -> Division:
    """Return the indices of each part's crops, in ascending order.

    ``fold`` of the grouped folds, 0 to 4, or 5 for the selfie series, is the test part. With ``own_dev`` the study's
    way has three parts, as for its own networks; without it the test part is twice as large, and dev is taken from the
    training crops.

    Raises:
        DatasetError: a part would have no crop, or training fewer than two classes.
    """
    if protocol == "study":
        division = _by_crop(crops.class_ids, task=task, seed=seed, own_dev=own_dev)
    else:
        division = _by_group(crops, task=task, fold=fold, seed=seed)
    _check(crops, division)
    return division


def _by_crop(class_ids: NDArray[np.int64], *, task: TaskName, seed: int, own_dev: bool) -> Division:
    rng = np.random.default_rng(seed)
    parts: dict[PartName, list[NDArray[np.int64]]] = {part: [] for part in PARTS}
    for members in [class_ids < 2] + ([class_ids == 2] if task == "three" else []):
        order = rng.permutation(np.flatnonzero(members))
        count = len(order)
        train = round(count * _TRAIN)
        dev, test = round(count * _DEV), round(count * _TEST)
        if own_dev:
            pieces = order[:train], order[train : train + dev], order[train + dev : train + dev + test]
        else:
            held = round(train * _DEV_OF_TRAIN)
            pieces = order[held:train], order[:held], order[train:]
        for part, piece in zip(PARTS, pieces, strict=True):
            parts[part].append(piece)
    return {part: np.sort(np.concatenate(pieces)) for part, pieces in parts.items()}


def _by_group(crops: CropSet, *, task: TaskName, fold: int, seed: int) -> Division:
    photos, names = crops.photos, crops.groups
    known: dict[str, int] = {}
    numbers = [known.setdefault(name, len(known)) for name in names]
    root = photos[0].picture.path.parent
    folds = np.array(split_folds(root, photos, numbers, [1 / FOLDS] * FOLDS, seed, series=True))
    rest = np.flatnonzero(folds != fold)
    fresh: dict[int, int] = {}
    inner = [fresh.setdefault(numbers[at], len(fresh)) for at in rest]
    held = split_grouped(root, [photos[at] for at in rest], inner, [1 - _DEV_OF_REST, _DEV_OF_REST], seed)
    part_of: dict[str, PartName] = {}
    for at, photo in enumerate(photos):
        if folds[at] == fold:
            part_of[photo.picture.path.name] = "test"
    for at, dev in zip(rest.tolist(), held, strict=True):
        part_of[photos[at].picture.path.name] = "dev" if dev else "train"
    places = np.array([part_of[record.photo] for record in crops.records])
    wanted = crops.class_ids < (2 if task == "binary" else 3)
    return {part: np.flatnonzero((places == part) & wanted) for part in PARTS}


def _check(crops: CropSet, division: Division) -> None:
    where = crops.photos[0].picture.path.parent
    for part in PARTS:
        if not len(division[part]):
            raise DatasetError(where, f"too few faces: none is left for {part}; add photos")
        if part != "dev" and len(np.unique(crops.class_ids[division[part]])) < 2:
            raise DatasetError(where, f"all faces of {part} are of one class: add photos of the other")
