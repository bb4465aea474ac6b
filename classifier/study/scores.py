"""How good a classifier's answers are, with 95 % intervals: from labels and probabilities to figures.

The answer is the most probable class, the first of them on a tie: with two classes, positive above one half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.statistics.figures import Figure, figure_of, wilson
from maskdet.statistics.scores import (
    balanced_accuracy,
    confusion_matrix,
    constant_answer,
    error,
    f1,
    macro_f1,
    precision,
    recall,
    roc_auc,
)

RESAMPLES: Final = 1000
#: Draws are computed in parts of so many weights, 64 MB of float64.
_CELLS: Final = 8_000_000


@dataclass(frozen=True, slots=True)
class ClassScores:
    """One class: 0 where a figure would be 0/0, as scikit-learn has it; ``support`` is how often it occurs."""

    precision: float
    recall: float
    f1: float
    support: int


def class_scores(matrix: NDArray[np.int64]) -> tuple[ClassScores, ...]:
    """Return the scores of each class of a (C, C) matrix, rows the truth."""
    columns = zip(precision(matrix), recall(matrix), f1(matrix), matrix.sum(axis=1), strict=True)
    return tuple(ClassScores(float(p), float(r), float(f), int(support)) for p, r, f, support in columns)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scores:
    """The figures of one set of answers.

    Attributes:
        matrix: (C, C) int64, rows the truth, columns the answer.
        error: ``wrong / count`` with Wilson's interval, which takes the items for independent; so has ``accuracy``.
        error_by_group: the same with the interval of a bootstrap over groups; so have the others.
        auc: area under the ROC curve, see ``maskdet.statistics.roc``.
        classes: by class index.
    """

    count: int
    wrong: int
    matrix: NDArray[np.int64]
    error: Figure
    error_by_group: Figure
    accuracy: Figure
    macro_f1: Figure
    balanced_accuracy: Figure
    auc: Figure
    classes: tuple[ClassScores, ...]

    @property
    def accuracy_by_group(self) -> Figure:
        """``accuracy`` with the interval of a bootstrap over groups."""
        wrong, low, high = self.error_by_group.value, self.error_by_group.low, self.error_by_group.high
        return Figure(*(None if value is None else 1 - value for value in (wrong, high, low)))

    @property
    def floor(self) -> Floor:
        """What always answering the most frequent class would have scored."""
        return floor_of(self.matrix)


@dataclass(frozen=True, slots=True)
class Floor:
    """The scores of a constant answer: the index of the class that is most frequent among the scored items.

    Macro-F1 counts 0 for the classes that are never answered; an AUC of one half, since a constant ranks nothing.
    """

    answer: int
    count: int
    error: float
    macro_f1: float
    balanced_accuracy: float
    auc: float = 0.5


def floor_of(matrix: NDArray[np.int64]) -> Floor:
    """Return the constant answer's scores on the items of a (C, C) matrix, rows the truth."""
    constant = constant_answer(matrix)
    return Floor(
        int(constant.sum(axis=0).argmax()),
        int(constant.sum()),
        float(error(constant)),
        float(macro_f1(constant)),
        float(balanced_accuracy(constant)),
    )


def score(
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    groups: Sequence[str] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Scores:
    """Score (N, C) probabilities against (N,) labels.

    A group is drawn as a whole, so that faces of one photo move together; without groups each item is one. The same
    seed gives the same intervals; without draws there are none.

    Raises:
        ValueError: there is nothing to score, or the lengths differ.
    """
    count, classes = probabilities.shape
    if not count or len(labels) != count or (groups is not None and len(groups) != count):
        raise ValueError(f"{len(labels)} labels and {count} rows of probabilities cannot be scored")
    answers = probabilities.argmax(axis=1).astype(np.int64)
    matrix = confusion_matrix(labels, answers, classes)
    wrong = count - int(np.trace(matrix))
    low, high = wilson(wrong, count)
    draws = _draws(labels, answers, probabilities, groups, resamples, seed)
    whole = (error(matrix), macro_f1(matrix), balanced_accuracy(matrix), roc_auc(labels, probabilities)[0])
    by_group, macro, balanced, auc = (figure_of(np.append(value, row)) for value, row in zip(whole, draws, strict=True))
    return Scores(
        count=count,
        wrong=wrong,
        matrix=matrix,
        error=Figure(wrong / count, low, high),
        error_by_group=by_group,
        accuracy=Figure(1 - wrong / count, 1 - high, 1 - low),
        macro_f1=macro,
        balanced_accuracy=balanced,
        auc=auc,
        classes=class_scores(matrix),
    )


def _draws(
    labels: NDArray[np.int64],
    answers: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    groups: Sequence[str] | None,
    resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Draw groups with replacement, as many as there are; return (4, resamples) error, macro-F1, balanced acc., AUC.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 6 and 8 (whole units are drawn).
    """
    count, classes = probabilities.shape
    # Groups are numbered by their names, so that the order of the items does not matter to the draws.
    number = np.arange(count) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    size = int(number.max()) + 1
    times = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=resamples)
    cells = np.zeros((size, classes**2))
    np.add.at(cells, (number, labels * classes + answers), 1)
    matrices = (times @ cells).reshape(-1, classes, classes)
    step = max(1, _CELLS // count)
    auc = [
        roc_auc(labels, probabilities, times[start : start + step, number].astype(np.float64))
        for start in range(0, resamples, step)
    ]
    return np.array(
        [error(matrices), macro_f1(matrices), balanced_accuracy(matrices), np.concatenate([np.zeros(0), *auc])]
    )
