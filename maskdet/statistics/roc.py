"""ROC curves and the area under them, ties and weights included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def roc_auc(labels: NDArray[np.int64], probabilities: Floats, weights: NDArray[np.float64] | None = None) -> Floats:
    """Return the area under the ROC curve, one for each row of weights.

    Two classes: of class 1, the positive one. More: the plain mean over the classes, each against all the others
    (scikit-learn's ``multi_class="ovr", average="macro"``), classes that a row lacks left out.

    Args:
        labels: (N,) int64.
        probabilities: (N, C) float64.
        weights: (B, N) how often each item counts; None for one row of ones.

    Returns:
        (B,) float64; NaN where it is not defined because a row has one class only.
    """
    classes = probabilities.shape[1]
    rows = np.ones((1, len(labels))) if weights is None else weights
    if classes == 2:
        return _binary_auc(labels == 1, probabilities[:, 1], rows)
    each = np.array([_binary_auc(labels == index, probabilities[:, index], rows) for index in range(classes)])
    known = ~np.isnan(each)
    number = known.sum(axis=0)
    total = np.where(known, each, 0).sum(axis=0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _binary_auc(positive: NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """Return (B,) the chance that a positive item scores above a negative one, a tie counting half.

    This is the Mann-Whitney statistic with midranks (Hanley and McNeil, Radiology 143, 1982).
    """
    if not len(scores):
        return np.full(len(weights), np.nan)
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sorted_weights = weights[:, order]
    is_positive = positive[order]
    up = np.add.reduceat(sorted_weights * is_positive, starts, axis=1)
    down = np.add.reduceat(sorted_weights * ~is_positive, starts, axis=1)
    below = np.cumsum(down, axis=1) - down / 2
    pairs = up.sum(axis=1) * down.sum(axis=1)
    won = (up * below).sum(axis=1)
    return np.where(pairs > 0, won / np.where(pairs > 0, pairs, 1), np.nan)


def roc_curve(positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Return false and true positive rates, both (K,) float64 from 0 to 1, a point for each different score.

    Args:
        positive: (N,) bool; both kinds must occur.
        scores: (N,) float64.

    Raises:
        ValueError: all items are positive, or none is.

    >>> [rates.tolist() for rates in roc_curve(np.array([True, False, True]), np.array([0.9, 0.5, 0.5]))]
    [[0.0, 0.0, 1.0], [0.0, 0.5, 1.0]]
    """
    if positive.all() or not positive.any():
        raise ValueError("a ROC curve needs both positive and negative items")
    order = np.argsort(-scores, kind="stable")
    ordered, is_positive = scores[order], positive[order]
    ends = np.flatnonzero(np.concatenate([ordered[1:] != ordered[:-1], [True]]))
    true = np.concatenate([[0], np.cumsum(is_positive)[ends]]) / positive.sum()
    false = np.concatenate([[0], np.cumsum(~is_positive)[ends]]) / (~positive).sum()
    return false, true
