"""How often the class of a face is right, with 95 % bootstrap intervals over photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.confusion_figures import confusion_matrix, error, macro_f1
from maskdet.detector.bootstrap import draw_photos, with_measured
from maskdet.detector.evaluate import figure_of
from maskdet.detector.val_report import Figure


@dataclass(frozen=True, slots=True, eq=False)
class ClassDraws:
    """One way of answering: its figures on all photos, then on each draw of photos; NaN where a draw has no face.

    Attributes:
        matrix: (3, 3) int64, rows the labelled class, columns the answer.
        accuracy: (1 + B,) float64, share of the faces whose class is right.
        macro_f1: (1 + B,) float64, mean F1 of the classes that occur as label or answer.
    """

    matrix: npt.NDArray[np.int64]
    accuracy: npt.NDArray[np.float64]
    macro_f1: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """The figures of one way of answering on one set of faces.

    Attributes:
        faces: how many were answered.
        accuracy: share of them whose class is right.
        macro_f1: mean F1 of the classes that occur as label or answer.
    """

    faces: int
    accuracy: Figure
    macro_f1: Figure

    @classmethod
    def of(cls, draws: ClassDraws) -> ClassRow:
        """Return measured value and interval of each figure."""
        return cls(int(draws.matrix.sum()), figure_of(draws.accuracy), figure_of(draws.macro_f1))


def class_draws(
    photos: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    answers: npt.NDArray[np.int64],
    *,
    photo_count: int,
    resamples: int = 0,
    seed: int = 0,
    weights: npt.NDArray[np.int32] | None = None,
) -> ClassDraws:
    """Score answers.

    The photos drawn depend on ``photo_count``, ``resamples`` and ``seed`` alone, and are those of average precision:
    two ways of answering can be compared draw by draw.

    Args:
        photos: (N,) int64, the photo of each face.
        labels: (N,) int64.
        answers: (N,) int64.
        photo_count: photos of the split, those without a face included.
        resamples: draws B, 0 for none.
        seed: where they start.
        weights: (B, photo_count) int32, draws at hand in their place: how often each photo counts.
    """
    classes = len(CLASS_NAMES)
    cells = np.zeros((photo_count, classes**2), dtype=np.int64)
    np.add.at(cells, (photos, labels * classes + answers), 1)
    drawn = draw_photos(photo_count, resamples=resamples, seed=seed) if weights is None else weights
    matrices = (with_measured(drawn) @ cells).reshape(-1, classes, classes)
    return ClassDraws(confusion_matrix(labels, answers, classes), 1 - error(matrices), macro_f1(matrices))
