"""Figures of a classifier's answers: those that follow from confusion matrices, many at once, and ROC curves.

Rows of a matrix are the truth, columns the answer. Weights may stand in for counts, so a bootstrap draw is a matrix as
well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def confusion_matrix(labels: NDArray[np.int64], answers: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count (N,) labels against (N,) answers, 0 to ``classes`` - 1: (C, C) int64, rows the truth.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    return np.bincount(labels * classes + answers, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def precision(matrices: ArrayLike) -> Floats:
    """Return (…, C) precision of (…, C, C) matrices; 0 for a class that was never answered, as scikit-learn has it."""
    counts = np.asarray(matrices, dtype=np.float64)
    return _ratio(_diagonal(counts), counts.sum(axis=-2))


def recall(matrices: ArrayLike) -> Floats:
    """Return (…, C) recall of (…, C, C) matrices; 0 for a class that does not occur, as scikit-learn has it."""
    counts = np.asarray(matrices, dtype=np.float64)
    return _ratio(_diagonal(counts), counts.sum(axis=-1))


def f1(matrices: ArrayLike) -> Floats:
    """Return (…, C) F1 of (…, C, C) matrices: 2 TP / (2 TP + FP + FN), 0 for a class that is neither true nor answered.

    >>> [round(value, 4) for value in f1([[579, 73], [60, 78]]).tolist()]
    [0.897, 0.5398]
    """
    counts = np.asarray(matrices, dtype=np.float64)
    return _ratio(2 * _diagonal(counts), counts.sum(axis=-1) + counts.sum(axis=-2))


def macro_f1(matrices: ArrayLike) -> Floats:
    """Return (…,) the plain mean of F1 over the classes that occur as truth or answer; NaN for an empty matrix.

    scikit-learn's ``f1_score(average="macro")`` leaves out the same classes.
    """
    counts = np.asarray(matrices, dtype=np.float64)
    return _mean(f1(counts), counts.sum(axis=-1) + counts.sum(axis=-2) > 0)


def balanced_accuracy(matrices: ArrayLike) -> Floats:
    """Return (…,) the plain mean of recall over the classes that occur; NaN for an empty matrix.

    >>> round(float(balanced_accuracy([[579, 73], [60, 78]])), 4)
    0.7266
    """
    counts = np.asarray(matrices, dtype=np.float64)
    return _mean(recall(counts), counts.sum(axis=-1) > 0)


def error(matrices: ArrayLike) -> Floats:
    """Return (…,) the share off the diagonal; NaN for an empty matrix."""
    counts = np.asarray(matrices, dtype=np.float64)
    total = counts.sum(axis=(-1, -2))
    return np.where(total > 0, _ratio(total - _diagonal(counts).sum(axis=-1), total), np.nan)


def constant_answer(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (C, C) matrix of always answering the class that is most frequent in ``matrix``: the floor.

    >>> constant_answer(np.array([[579, 73], [60, 78]])).tolist()
    [[652, 0], [138, 0]]
    """
    truth = matrix.sum(axis=1)
    floor = np.zeros_like(matrix)
    floor[:, int(truth.argmax())] = truth
    return floor


def _diagonal(counts: Floats) -> Floats:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Divide; 0/0 is 0."""
    return np.asarray(above / np.where(below > 0, below, 1), dtype=np.float64)


def _mean(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """Return the mean over the last axis where ``where``; NaN where there is nothing."""
    number = where.sum(axis=-1)
    return np.where(number > 0, (values * where).sum(axis=-1) / np.maximum(number, 1), np.nan)


def roc_auc(labels: NDArray[np.int64], probabilities: Floats, weights: NDArray[np.float64] | None = None) -> Floats:
    """Return the area under the ROC curve, one for each row of weights.

    Two classes: of class 1, the positive one. More: the plain mean over the classes, each against all the others
    (scikit-learn's ``multi_class="ovr", average="macro"``), classes that a row lacks left out.

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
    """Return false and true positive rates, both (K,) float64 from 0 to 1, a point for each different score of (N,).

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
