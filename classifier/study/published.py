"""What the study printed, and what its numbers really say.

The study: "Mask Detection Using Convolutional Neural Networks", a student study of January 2023 in Keras. Every number
typed here is printed there or, where it says so, was read off its printed numbers; the rest is computed from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from maskdet.classifier.study.scores import ClassScores, Floor, class_scores, floor_of
from maskdet.statistics.figures import wilson
from maskdet.statistics.mcnemar import exact_p
from maskdet.statistics.scores import (
    balanced_accuracy,
    confusion_matrix,
    constant_answer,
    error,
    macro_f1,
)

Matrix = tuple[tuple[int, int], tuple[int, int]]

#: Crops of the data set by class id, and the crops of each part.
CROPS: Final = (3232, 717, 123)
OWN_PARTS: Final = (3159, 395, 394)
TRANSFER_PARTS: Final = (3159, 790)
#: Crops of the rarer class (without mask) in the transfer nets' test part.
TRANSFER_POSITIVES: Final = 138
#: Share of crops that people get wrong, as printed.
HUMAN_ERROR: Final = 0.0
#: Misclassified test crops that the study lists: missed bare faces, and masks taken for bare faces.
LISTED_MISSED, LISTED_FALSE_ALARMS = 7, 6


@dataclass(frozen=True, slots=True)
class PublishedOwn:
    """One of the study's own networks: errors of train, dev and test in whole per cent, dev accuracy and F1 by epoch.

    ``f1`` are the different values printed for dev, in their order.
    """

    errors: tuple[int, int, int]
    dev_accuracy: tuple[float, ...]
    f1: tuple[float, ...]

    @property
    def test_error(self) -> float:
        """As printed, a share."""
        return self.errors[2] / 100

    @property
    def test_wrong(self) -> tuple[int, int]:
        """The fewest and the most test crops whose share is printed as this whole per cent; derived."""
        fitting = [wrong for wrong in range(OWN_PARTS[2] + 1) if round(100 * wrong / OWN_PARTS[2]) == self.errors[2]]
        return fitting[0], fitting[-1]

    @property
    def test_interval(self) -> tuple[float, float]:
        """From the lower end of Wilson's 95 % interval of the fewest to the upper end of that of the most."""
        fewest, most = self.test_wrong
        return wilson(fewest, OWN_PARTS[2])[0], wilson(most, OWN_PARTS[2])[1]

    @property
    def uncounted(self) -> tuple[int, ...]:
        """For each printed F1, how many dev crops do not count as positive if all others and every bare face do.

        Derived: an output that underflows to exactly 0 no longer counts.
        """
        positives, crops = F1_COLUMN[1].positives, F1_COLUMN[1].crops
        return tuple(round(crops + positives - 2 * positives / f1) for f1 in self.f1)


def p_of_own(first: str, second: str) -> tuple[float, float]:
    """Return the least and the greatest p that McNemar's test by face can have for two of the study's own networks.

    Their answers are not printed: the errors of one may be among the other's, or none of them be.
    """
    (least, most), (other_least, other_most) = sorted((OWN[first].test_wrong, OWN[second].test_wrong))
    return exact_p(0, other_most - least), exact_p(most, other_least)


@dataclass(frozen=True, slots=True)
class PublishedTransfer:
    """One of the networks with an ImageNet backbone; the matrix has the truth (with, without mask) in rows.

    It is derived: the printed reports have truth and answer swapped, so theirs is the transpose.
    """

    accuracy: float
    matrix: Matrix

    @property
    def figures(self) -> TrueFigures:
        """What the matrix says."""
        return true_figures(self.matrix)

    @property
    def constant(self) -> bool:
        """Whether every crop got the same answer."""
        return bool((np.asarray(self.matrix).sum(axis=0) == 0).any())


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFigures:
    """The figures of a matrix of two classes."""

    count: int
    wrong: int
    accuracy: float
    error: float
    error_interval: tuple[float, float]
    macro_f1: float
    balanced_accuracy: float
    classes: tuple[ClassScores, ClassScores]


def true_figures(matrix: Matrix) -> TrueFigures:
    """Compute the figures of a matrix, rows the truth.

    >>> figures = true_figures(((652, 0), (138, 0)))
    >>> round(figures.accuracy, 4), round(figures.macro_f1, 4), figures.balanced_accuracy
    (0.8253, 0.4521, 0.5)
    """
    counts = np.asarray(matrix)
    total, wrong = int(counts.sum()), int(counts.sum() - np.trace(counts))
    first, second = class_scores(counts)
    return TrueFigures(
        count=total, wrong=wrong, accuracy=1 - float(error(counts)), error=float(error(counts)),
        error_interval=wilson(wrong, total), macro_f1=float(macro_f1(counts)),
        balanced_accuracy=float(balanced_accuracy(counts)), classes=(first, second),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConstantF1:
    """An F1 of the study, 2p / (1 + p) whatever was learned: without a threshold every crop above 0 is positive."""

    part: str
    printed: float
    positives: int
    crops: int

    @property
    def value(self) -> float:
        """2p / (1 + p)."""
        share = self.positives / self.crops
        return 2 * share / (1 + share)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A result on this data that others published."""

    task: str
    accuracy: float
    macro_f1: float
    what: str


_MAJORITY: Final[Matrix] = ((652, 0), (138, 0))

OWN: Final[dict[str, PublishedOwn]] = {
    "cnn-a": PublishedOwn((3, 4, 2), (0.9316, 0.9468, 0.9544, 0.9595, 0.9595, 0.9468), (0.2937,)),
    "cnn-b": PublishedOwn((2, 4, 3), (0.9519, 0.9595, 0.9671, 0.9646, 0.9620, 0.9544), (0.2937, 0.2950)),
    "cnn-c": PublishedOwn((3, 4, 4), (0.9392, 0.9570, 0.9570), (0.3049, 0.3301, 0.3350)),
}
TRANSFER: Final[dict[str, PublishedTransfer]] = {
    "mobilenet_v2": PublishedTransfer(0.83, _MAJORITY),
    "vgg19": PublishedTransfer(0.83, _MAJORITY),
    "resnet50": PublishedTransfer(0.83, _MAJORITY),
    "inception_v3": PublishedTransfer(0.83, ((579, 73), (60, 78))),
}
F1_COLUMN: Final = (ConstantF1("train", 0.3098, 579, 3159), ConstantF1("dev", 0.2937, 68, 395))
#: What the constant networks' training shows: accuracy, the majority rate, and loss, the entropy of a constant answer.
STUCK_TRAIN_ACCURACY, STUCK_LOSS = 0.8167, 0.476
ELSEWHERE: Final = (Elsewhere("three", 0.98, 0.92, "ResNet18, split by crop (source not recorded, not checked)"),)


def transfer_floor() -> Floor:
    """Return the scores of a constant answer on the transfer nets' test part."""
    negatives = TRANSFER_PARTS[1] - TRANSFER_POSITIVES
    labels = np.repeat(np.array([0, 1], dtype=np.int64), [negatives, TRANSFER_POSITIVES])
    return floor_of(constant_answer(confusion_matrix(labels, labels, 2)))


def study_error(name: str) -> tuple[float, float, float] | None:
    """Return what the study's numbers say of a network's test error: share, and Wilson's interval; None if not its.

    >>> study_error("resnet50")[0] == 138 / 790, study_error("alexnet")
    (True, None)
    """
    if name in OWN:
        return OWN[name].test_error, *OWN[name].test_interval
    figures = TRANSFER[name].figures if name in TRANSFER else None
    return None if figures is None else (figures.error, *figures.error_interval)
