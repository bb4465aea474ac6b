"""Dividing photos into train, val and test, or into folds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.photos.photo import Photo, Split
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.errors import DatasetError

PUBLIC_PHOTOS, PUBLIC_VAL, PUBLIC_SEED = 853, 170, 42


def public_val_names() -> frozenset[str]:
    """Return the annotation names of the published validation list of the Kaggle face-mask data.

    The rule: sort the 853 XML names as strings, shuffle with seed 42, take the first 170.
    """
    names = sorted(f"maksssksksss{number}.xml" for number in range(PUBLIC_PHOTOS))
    random.Random(PUBLIC_SEED).shuffle(names)
    return frozenset(names[:PUBLIC_VAL])


def split_public(root: Path, photos: Sequence[Photo]) -> list[Split]:
    """Give each photo its part in the published split.

    Raises:
        DatasetError: a photo is not one of the public 853.
    """
    known = {f"maksssksksss{number}.xml" for number in range(PUBLIC_PHOTOS)}
    names = PhotoTable.of(photos).names
    stranger = next((name for name in names if name not in known), None)
    if stranger is not None:
        reason = f"the public split is a list of the 853 Kaggle photos and {stranger} is not on it: use --split grouped"
        raise DatasetError(root, reason)
    val = public_val_names()
    return ["val" if name in val else "train" for name in names]


def split_grouped(
    root: Path, photos: Sequence[Photo], groups: Sequence[int], shares: Sequence[float], seed: int
) -> list[int]:
    """Return a part number for each of N photos so that groups, numbered from 0, stay whole.

    Every part gets its share, all summing to 1, of photos and of each class; see ``place_groups``.

    Raises:
        DatasetError: fewer groups than parts.
    """
    classes = PhotoTable.of(photos).class_counts(len(CLASS_NAMES))
    return place_groups(root, group_sums(groups, [np.ones(len(photos)), *classes.T]), groups, shares, seed)


def group_sums(groups: Sequence[int], columns: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Return (G, Q) float64: what each group holds of Q quantities, of which (N,) columns say what each photo holds."""
    places = np.array(groups, dtype=np.int64)
    return np.stack([np.bincount(places, column) for column in columns], axis=1)


def place_groups(
    root: Path, contents: NDArray[np.float64], groups: Sequence[int], shares: Sequence[float], seed: int
) -> list[int]:
    """Return each photo's part, so that every part gets its share of every column of (G, Q) ``contents``.

    Groups are placed one by one, those that are hardest to place first, each where it brings all counts nearest to
    their targets; then single groups move as long as that helps. The same input and seed give the same parts.

    Raises:
        DatasetError: fewer groups than parts.
    """
    count = len(contents)
    if count < len(shares):
        raise DatasetError(
            root, f"{count} groups of photos cannot fill {len(shares)} parts: add photos or change --split"
        )
    totals = contents.sum(axis=0)
    # A class that does not occur, or a share of zero, must not divide by zero.
    targets = np.maximum(np.outer(shares, totals), 1e-9)
    order = list(range(count))
    random.Random(seed).shuffle(order)
    weight = (-(contents / np.maximum(totals, 1.0)).max(axis=1)).tolist()
    order.sort(key=weight.__getitem__)
    place = np.full(count, -1, dtype=np.int64)
    parts = _Parts(targets)
    for group in order:
        place[group] = parts.add(contents[group].tolist())
    _improve(order, place, parts, contents)
    _fill_empty(place, len(shares), contents)
    return [int(part) for part in place[groups]]


class _Parts:
    """What each part holds, and how far that is from its targets: the squared relative distances, summed.

    In plain numbers: a part has a dozen of them at most, and there are as many steps as photos, so that the calls into
    NumPy would take ten times as long as the arithmetic. What is held are whole numbers, so that adding and taking
    away is exact.
    """

    def __init__(self, targets: NDArray[np.float64]) -> None:
        """Begin with empty parts; ``targets``, (P, Q) above 0, is what each should get."""
        self._targets: list[list[float]] = targets.tolist()
        self._held = [[0.0] * len(row) for row in self._targets]
        self._distances = [_distance(held, held, row) for held, row in zip(self._held, self._targets, strict=True)]
        self._whole = float(targets[:, 0].sum())

    def add(self, content: list[float]) -> int:
        """Put something where it brings all parts nearest to their targets; return where.

        Every part's error counts by its target, so that a small part is not drowned out by a large one.
        """
        after = [_distance(held, content, row) for held, row in zip(self._held, self._targets, strict=True)]
        costs = [self._cost(part, before, after[part]) for part, before in enumerate(self._distances)]
        best = costs.index(min(costs))
        self._put(best, content, after[best])
        return best

    def move(self, content: list[float], home: int) -> int:
        """Take something out of a part and put it where it fits best; where nothing is gained it stays."""
        taken = [-more for more in content]
        without = _distance(self._held[home], taken, self._targets[home])
        after = list(self._distances)
        costs = []
        for part, before in enumerate(self._distances):
            if part == home:
                costs.append(self._cost(part, without, before))
            else:
                after[part] = _distance(self._held[part], content, self._targets[part])
                costs.append(self._cost(part, before, after[part]))
        best = costs.index(min(costs))
        if costs[best] >= costs[home] - 1e-12:
            return home
        self._put(home, taken, without)
        self._put(best, content, after[best])
        return best

    def _cost(self, part: int, before: float, after: float) -> float:
        return (after - before) * self._targets[part][0] / self._whole

    def _put(self, part: int, content: list[float], distance: float) -> None:
        self._held[part] = [have + more for have, more in zip(self._held[part], content, strict=True)]
        self._distances[part] = distance


def _distance(held: list[float], added: list[float], targets: list[float]) -> float:
    total = 0.0
    for have, more, target in zip(held, added, targets):  # noqa: B905 - asked a million times, and equal by construction
        share = (have + more - target) / target
        total += share * share
    return total


def _improve(order: list[int], place: NDArray[np.int64], parts: _Parts, contents: NDArray[np.float64]) -> None:
    """Move single groups between parts while that brings the counts nearer to their targets."""
    for _ in range(20):
        moved = False
        for group in order:
            home = int(place[group])
            best = parts.move(contents[group].tolist(), home)
            if best != home:
                place[group], moved = best, True
        if not moved:
            return


def _fill_empty(place: NDArray[np.int64], parts: int, contents: NDArray[np.float64]) -> None:
    """Give every empty part the smallest group of the part that has most groups; only tiny data sets need it."""
    for part in range(parts):
        if not (place == part).any():
            richest = int(np.argmax(np.bincount(place, minlength=parts)))
            members = np.flatnonzero(place == richest)
            place[members[np.argmin(contents[members, 0])]] = part
