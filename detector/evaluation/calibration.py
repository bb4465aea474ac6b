"""Confidence that means probability: a temperature, and where it pays a bias, on the logits of a detector's scores.

A score s becomes sigmoid(logit(s) / temperature + bias): Platt, "Probabilistic Outputs for Support Vector Machines",
1999; with the temperature alone, Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. The order of the
scores of each class stays as it is, and with it average precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.evaluation.operating_point import matched_faces
from maskdet.detector.inference.options import DEFAULT_CONF
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.thresholds import Calibration, logit
from maskdet.statistics.calibration_error import expected_calibration_error
from maskdet.statistics.figures import Figure, figure_of

#: Detections above it are fitted on: far below, thousands of boxes that are never reported would decide.
FIT_CONF: Final = 0.05

#: Newton's steps at most; a handful is the rule.
_STEPS: Final = 100


def fit_calibration(
    scores: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_], *, bias: bool = False
) -> Calibration:
    """Return the calibration with the greatest likelihood, to be fitted on photos that the detector has not seen.

    Newton's steps on the logistic regression of right on logit(score); its likelihood has one maximum.

    Args:
        scores: (N,) float, 0 to 1.
        right: (N,) bool.

    Raises:
        ValueError: all are right, or all wrong, or more confident is not more often right: no such maximum.

    Of scores of 0.9, three of four are right, and of scores of 0.1 one of four: 9 : 1 is to become 3 : 1.

    >>> fitted = fit_calibration(np.array([0.9] * 4 + [0.1] * 4), np.array([1, 1, 1, 0, 0, 0, 0, 1], bool), bias=True)
    >>> round(fitted.temperature, 6), round(abs(fitted.bias), 6)
    (2.0, 0.0)
    """
    if not right.any() or right.all():
        raise ValueError("right and wrong detections are both needed to fit a calibration")
    logits = logit(scores)
    inputs = np.stack([logits, np.ones_like(logits)], axis=1)[:, : 1 + bias]
    found = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (right - likely)
        curve = (inputs * (likely * (1 - likely))[:, None]).T @ inputs
        step = np.linalg.solve(curve, slope)
        # Newton's step may overshoot far from the maximum; no sensible one is longer.
        found += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-12:
            break
    if found[0] <= 0:
        raise ValueError("more confident detections are not more often right: nothing to calibrate")
    return Calibration(float(1 / found[0]), float(found[1]) if bias else 0.0)


#: How much the calibration of all classes together weighs in that of each: as a Gaussian prior on slope and bias whose
#: precision it is, so that some dozens of detections of a class outweigh it.
SHRINKAGE: Final = 10.0


def fit_per_class(judged: Judged, classes: int = len(CLASS_NAMES)) -> Calibration:
    """Return a temperature and a bias a class, each drawn towards those of all classes where it has few detections.

    The mode of the posterior: the likelihood of a class's detections, and the prior of ``SHRINKAGE`` around what all
    detections together say. A class without detections gets that itself.

    Raises:
        ValueError: as ``fit_calibration`` of all classes together.
    """
    pooled = fit_calibration(judged.scores, judged.right, bias=True)
    start = np.array([1 / float(np.asarray(pooled.temperature)), float(np.asarray(pooled.bias))])
    fitted = []
    for class_id in range(classes):
        mine = judged.class_ids == class_id
        inputs = np.stack([logit(judged.scores[mine]), np.ones(int(mine.sum()))], axis=1)
        found = start.copy()
        for _ in range(_STEPS):
            likely = 1 / (1 + np.exp(-inputs @ found))
            slope = inputs.T @ (judged.right[mine] - likely) - SHRINKAGE * (found - start)
            curve = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + SHRINKAGE * np.eye(2)
            step = np.linalg.solve(curve, slope)
            found += step / max(1.0, float(np.abs(step).max()))
            if np.abs(step).max() < 1e-12:
                break
        # More confident must stay more confident within the class.
        fitted.append(found if found[0] > 0 else start)
    return Calibration(tuple(float(1 / one[0]) for one in fitted), tuple(float(one[1]) for one in fitted))


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Detections of P photos, each found right or wrong at IoU 0.5.

    Attributes:
        photos: (N,) int64, the photo of each.
        class_ids: (N,) int64.
        scores: (N,) float64, as the network gave them.
        right: (N,) bool: it found a face of its class that no more confident one had found.
    """

    photos: npt.NDArray[np.int64]
    class_ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]

    def take(self, kept: npt.NDArray[np.bool_]) -> Judged:
        """Return some of them, by an (N,) mask."""
        return Judged(self.photos[kept], self.class_ids[kept], self.scores[kept], self.right[kept])


def judge(truths: Sequence[Truth], found: Sequence[Detections]) -> Judged:
    """Say of each detection whether it is right.

    Args:
        found: one a photo, as ``maskdet detect`` reports them (the best class of a box), from a low threshold on.
    """
    columns: list[tuple[npt.NDArray[Any], ...]] = []
    for photo, (truth, detected) in enumerate(zip(truths, found, strict=True)):
        for class_id in range(len(CLASS_NAMES)):
            place = matched_faces(truth, detected, class_id, conf=-1.0, iou=0.5)
            # In the order of matching: the most confident first.
            scores = -np.sort(-detected.confidences[detected.class_ids == class_id].astype(np.float64))
            columns.append((np.full(len(place), photo), np.full(len(place), class_id), scores, place >= 0))
    photos, class_ids, scores, right = (
        np.concatenate([column[at] for column in columns]) if columns else np.zeros(0) for at in range(4)
    )
    return Judged(photos.astype(np.int64), class_ids.astype(np.int64), scores, right.astype(np.bool_))


#: Calibration error counts detections whose confidence exceeds these: nearly all, and those that are reported.
ERROR_ABOVE: Final = (FIT_CONF, DEFAULT_CONF)


def calibration_errors(
    judged: Judged, weights: npt.NDArray[np.int32], confidences: npt.NDArray[np.float64] | None = None
) -> dict[float, dict[str, Figure]]:
    """Return the expected calibration error of detections above each of ``ERROR_ABOVE``, of all and of each class.

    Args:
        weights: (B, P) int32, how often each photo counts in each draw behind the intervals.
        confidences: (N,) float64 in place of the scores.
    """
    scores = judged.scores if confidences is None else confidences

    def error_of(kept: npt.NDArray[np.bool_]) -> Figure:
        some = judged.take(kept)
        values = [expected_calibration_error(scores[kept], some.right)]
        values += [expected_calibration_error(scores[kept], some.right, weights=row[some.photos]) for row in weights]
        return figure_of(np.array(values))

    errors: dict[float, dict[str, Figure]] = {}
    for least in ERROR_ABOVE:
        above = scores > least
        errors[least] = {"all": error_of(above)}
        errors[least] |= {name: error_of(above & (judged.class_ids == at)) for at, name in enumerate(CLASS_NAMES)}
    return errors


def best_threshold(
    confidences: npt.NDArray[np.float64], judged: Judged, faces: Sequence[int], classes: Sequence[int]
) -> float:
    """Return the confidence threshold with the greatest mean F1 over some classes.

    Args:
        confidences: (N,) float64, the calibrated ones.
        classes: whose F1 counts.

    Returns:
        Half-way between two confidences where there are two; of equal thresholds the lowest.
    """
    counted = np.isin(judged.class_ids, np.array(classes))
    order = np.argsort(-confidences[counted], kind="stable")
    ranked = confidences[counted][order]
    if not len(ranked):
        return 0.0
    total = np.zeros(len(ranked))
    for class_id in classes:
        mine = judged.class_ids[counted][order] == class_id
        right = np.cumsum(mine & judged.right[counted][order])
        total += 2 * right / np.maximum(np.cumsum(mine) + faces[class_id], 1)
    # Equal confidences stand or fall together: only the last of each can be where a threshold lies.
    ends = np.append(ranked[1:] < ranked[:-1], True)
    best = np.flatnonzero(ends & (total >= total[ends].max() - 1e-12))[-1]
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)
