"""From logits to probabilities and cross-entropy, alike for one logit of two classes and one logit a class.

Imports torch.
"""

from __future__ import annotations

import torch
from torch.nn import functional


def to_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Return (n, C) probabilities of (n, 1) or (n, C) logits; a single logit is that of class 1 of two.

    >>> to_probabilities(torch.zeros(1, 1)).tolist()
    [[0.5, 0.5]]
    """
    if logits.shape[1] > 1:
        return logits.softmax(dim=1)
    return torch.cat([(-logits).sigmoid(), logits.sigmoid()], dim=1)


def cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None, smoothing: float = 0.0
) -> torch.Tensor:
    """Return the mean cross-entropy in nats, a scalar.

    Args:
        logits: (n, 1) or (n, C) float32.
        labels: (n,) int64.
        weights: (C,) float32, what a crop of each class counts; the mean is over crops, not over weights.
        smoothing: share of each label's weight spread evenly over all classes (Szegedy et al. 2016).
    """
    if logits.shape[1] == 1:
        wanted = labels.to(logits.dtype) * (1 - smoothing) + smoothing / 2
        costs = functional.binary_cross_entropy_with_logits(logits[:, 0], wanted, reduction="none")
    else:
        costs = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    if weights is not None:
        costs = costs * weights[labels]
    return costs.mean()
