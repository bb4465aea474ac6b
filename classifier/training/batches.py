"""Batches of tensors for training and scoring: from crops, or from features computed once and kept. Imports torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.build import TransferNet
from maskdet.classifier.networks.specs import Triple
from maskdet.classifier.training.recipe import NO_AUGMENT
from maskdet.files.atomic import whole_file
from maskdet.terminal.progress import track

if TYPE_CHECKING:
    from maskdet.classifier.training.recipe import Recipe

Batch = tuple[torch.Tensor, torch.Tensor]


#: Crops scored at once; CNN-C holds 25 MB of activations a crop.
SCORE_BATCH: Final = 32


class Batches(Protocol):
    """What a training takes its batches from."""

    def train(self, order: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        """Return inputs and labels of some crops, changed at random."""
        ...

    def plain(self, indices: NDArray[np.int64]) -> Batch:
        """Return inputs and labels of some crops as they are."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class CropBatches:
    """Batches of crops, cut to ``side`` pixels and changed as they are asked for.

    ``mean`` of R, G, B on the scale 0 … 1 is subtracted from pixels, then they are divided by ``std``.
    """

    crops: CropSet
    side: int
    recipe: Recipe
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)

    def train(self, order: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        """Return (n, 3, side, side) float32 and (n,) int64; see ``Batches``."""
        augment = self.recipe.augment
        if augment == NO_AUGMENT:
            return self.plain(order)
        images = []
        for index in order.tolist():
            box = augment.box(self.crops.boxes[index], rng)
            images.append(augment.pixels(self.crops.cut(index, self.recipe.crops, self.side, box), rng))
        return self._tensor(images), self._labels(order)

    def plain(self, indices: NDArray[np.int64]) -> Batch:
        """Return (n, 3, side, side) float32 and (n,) int64; see ``Batches``."""
        images = [self.crops.cut(index, self.recipe.crops, self.side) for index in indices.tolist()]
        return self._tensor(images), self._labels(indices)

    def _tensor(self, images: list[NDArray[np.uint8]]) -> torch.Tensor:
        rgb = np.stack(images)[..., ::-1].astype(np.float32) / 255
        scaled = (rgb - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        # Pixels stay where they are: torch calls this layout channels-last, and convolves faster in it.
        return torch.from_numpy(scaled).permute(0, 3, 1, 2)

    def _labels(self, indices: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(self.crops.class_ids[indices])


@dataclass(frozen=True, slots=True, eq=False)
class FeatureBatches:
    """Batches of a frozen backbone's features, (views + 1, N, F) float16; view 0 is of the crops as they are.

    They may lie on disk: rows of crops that take no part are not read.
    """

    features: NDArray[np.float16]
    labels: NDArray[np.int64]

    def train(self, order: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        """Return (n, F) float32, each of a view chosen at random, and (n,) int64."""
        views = rng.integers(0, len(self.features), len(order))
        return self._batch(views, order)

    def plain(self, indices: NDArray[np.int64]) -> Batch:
        """Return (n, F) float32 and (n,) int64."""
        return self._batch(np.zeros(len(indices), dtype=np.int64), indices)

    def _batch(self, views: NDArray[np.int64], indices: NDArray[np.int64]) -> Batch:
        rows = self.features[views, indices].astype(np.float32)
        return torch.from_numpy(rows), torch.from_numpy(self.labels[indices])


def slices(indices: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Yield consecutive pieces of at most ``size``."""
    for start in range(0, len(indices), size):
        yield indices[start : start + size]


def cached_features(
    network: TransferNet, batches: CropBatches, cache: Path | None, *, seed: int = 0, quiet: bool = False
) -> NDArray[np.float16]:
    """Return the features of every crop as it is, and of as many changed copies as the recipe asks for.

    They are kept in the folder ``cache``, if any, as float16: the head sees differences of a thousandth of a value, far
    below those between two crops. The network's backbone must be frozen. See ``FeatureBatches``.
    """
    path = None if cache is None else cache / f"features-{_fingerprint(network, batches, seed)}.npy"
    if path is not None and path.exists():
        kept: NDArray[np.float16] = np.load(path, mmap_mode="r")
        return kept
    everything = np.arange(len(batches.crops))
    views = 1 + batches.recipe.views
    network.eval()
    found: NDArray[np.float16] | None = None
    pieces = [(view, piece) for view in range(views) for piece in slices(everything, SCORE_BATCH)]
    for view, piece in track(pieces, label="features", quiet=quiet):
        rng = np.random.default_rng((seed, view, int(piece[0])))
        inputs, _ = batches.plain(piece) if view == 0 else batches.train(piece, rng)
        rows = network.features(inputs).numpy()
        if found is None:
            found = np.empty((views, len(everything), rows.shape[1]), dtype=np.float16)
        found[view, piece] = rows
    assert found is not None
    if path is not None:
        with whole_file(path) as file:
            np.save(file, found)
    return found


def _fingerprint(network: TransferNet, batches: CropBatches, seed: int) -> str:
    """Return a checksum of all that the features depend on."""
    recipe = batches.recipe
    settings = [asdict(recipe.augment) if recipe.views else None, asdict(recipe.crops), recipe.views]
    text = json.dumps([batches.crops.fingerprint(), batches.side, batches.mean, batches.std, settings, seed])
    digest = hashlib.sha256(text.encode())
    for tensor in network.backbone.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]
