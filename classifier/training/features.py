"""A frozen backbone's features of every crop, computed once and kept in a file. Imports torch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.classifier.networks.transfer_net import TransferNet
from maskdet.classifier.training.batches import CropBatches, slices
from maskdet.classifier.training.fit import SCORE_BATCH
from maskdet.files.atomic import whole_file
from maskdet.terminal.progress import track


def cached_features(
    network: TransferNet, batches: CropBatches, cache: Path | None, *, seed: int = 0, quiet: bool = False
) -> NDArray[np.float16]:
    """Return the features of every crop as it is, and of as many changed copies as the recipe asks for.

    They are kept as float16: the head sees differences of a thousandth of a value, far below those between two crops.

    Args:
        network: its backbone frozen.
        batches: of every crop.
        cache: folder of kept features, None to keep none.
        seed: of the changes.
        quiet: no progress bar.

    Returns:
        (views + 1, N, F) float16; view 0 is of the crops as they are. Mapped from the file where it is kept.
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
