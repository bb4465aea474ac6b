"""What a crop of each class counts in training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def class_weights(class_ids: NDArray[np.int64], power: float, classes: int) -> tuple[float, ...]:
    """Return each class's weight: its number of crops to the power of minus ``power``, 1 on average over crops.

    Args:
        class_ids: (N,) int64.
        power: 0 counts all crops alike and gives an empty tuple; 1 gives every class the same sum.
        classes: number of classes.

    >>> class_weights(np.array([0, 0, 0, 0, 1]), 1.0, 2)
    (0.625, 2.5)
    """
    if not power:
        return ()
    counts = np.bincount(class_ids, minlength=classes)[:classes]
    weights = np.maximum(counts, 1) ** -power
    return tuple((weights * counts.sum() / (weights * counts).sum()).tolist())
