"""Figures that follow from a confusion matrix alone; every function takes many matrices at once.

Rows are the truth, columns the answer. Weights may stand in for counts, so a bootstrap draw is a matrix as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def confusion_matrix(labels: NDArray[np.int64], answers: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count (N,) labels against (N,) answers, both 0 to ``classes`` - 1.

    Returns:
        (C, C) int64, rows the truth, columns the answer.

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
