"""What a detector does at one confidence threshold: precision, recall, F1, and which class is taken for which.

It is counted photo by photo, so that draws of photos can be counted; each class is matched on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import coco_iou, match, within_sizes
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.postprocess import Detections
from maskdet.statistics.figures import MEAN, mean_of_known


@dataclass(frozen=True, slots=True)
class ClassPoint:
    """Counts of one class.

    Attributes:
        right: detections that found a face of their class.
        missed: labelled faces that no detection of their class found.
    """

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Share of detections that are right; 0 without a detection where faces are labelled, None without either."""
        if not self.right + self.wrong:
            return 0.0 if self.missed else None
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float | None:
        """Share of labelled faces that were found, None where none is labelled."""
        labelled = self.right + self.missed
        return self.right / labelled if labelled else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall, None with neither a detection nor a face."""
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else None


@dataclass(frozen=True, slots=True, eq=False)
class OperatingPoint:
    """Counts of all classes at one threshold.

    Attributes:
        confusion: (C + 1, C + 1) int64, rows the labelled class, columns the detected one, the last of each being
            background: a missed face is in the last column, a detection where no face is labelled in the last row.
    """

    conf: float
    iou: float
    classes: tuple[ClassPoint, ...]
    confusion: npt.NDArray[np.int64]

    def mean(self, figure: str) -> float | None:
        """Return the mean of ``"precision"``, ``"recall"`` or ``"f1"`` over the classes that are labelled."""
        values = [getattr(point, figure) for point in self.classes if point.right + point.missed]
        return sum(values) / len(values) if values else None


def operating_point(
    truths: Sequence[Truth],
    found: Sequence[Detections],
    *,
    conf: float,
    iou: float = 0.5,
    classes: int = len(CLASS_NAMES),
) -> OperatingPoint:
    """Count what is right and wrong above a confidence threshold.

    Precision and recall match each class on its own, as average precision does. The confusion matrix matches without
    regard to class, so that a face found as another class shows up as such; the most confident detection gets the face,
    and a second one on the same face stands under background.
    """
    background = classes
    threshold = np.array([iou])
    counts = np.zeros((background, 3), dtype=np.int64)
    confusion = np.zeros((background + 1, background + 1), dtype=np.int64)
    for truth, detected in zip(truths, found, strict=True):
        order = np.argsort(-detected.confidences, kind="stable")
        order = order[detected.confidences[order] > conf]
        boxes, answers = detected.boxes[order], detected.class_ids[order]
        overlap = coco_iou(boxes, truth.boxes)
        for class_id in range(background):
            place = matched_faces(truth, detected, class_id, conf=conf, iou=iou)
            right, labelled = np.count_nonzero(place >= 0), np.count_nonzero(truth.class_ids == class_id)
            counts[class_id] += (right, len(place) - right, labelled - right)
        face = match(overlap, threshold)[0]
        # Index -1 (no face) reads the extra last entry.
        np.add.at(confusion, (np.append(truth.class_ids, background)[face], answers), 1)
        missed = np.setdiff1d(np.arange(len(truth.class_ids)), face)
        np.add.at(confusion, (truth.class_ids[missed], background), 1)
    points = tuple(ClassPoint(*(int(value) for value in row)) for row in counts)
    return OperatingPoint(conf, iou, points, confusion)


def matched_faces(
    truth: Truth, detected: Detections, class_id: int, *, conf: float, iou: float
) -> npt.NDArray[np.int64]:
    """Match one class's detections above a threshold with its faces, the most confident first, each face once.

    Returns:
        (D,) int64: for each such detection the place of its face in ``truth``, -1 for none; the most confident first.
    """
    mine = np.flatnonzero((detected.class_ids == class_id) & (detected.confidences > conf))
    mine = mine[np.argsort(-detected.confidences[mine], kind="stable")]
    places = np.flatnonzero(truth.class_ids == class_id)
    face = match(coco_iou(detected.boxes[mine], truth.boxes[places]), np.array([iou]))[0]
    # Index -1 (no face) reads the extra last entry.
    matched: npt.NDArray[np.int64] = np.append(places, -1)[face]
    return matched


#: Rows of every figure: the classes, their mean, and all faces counted together whatever their class.
ROWS: Final = (*CLASS_NAMES, MEAN, "all")


def rows_of_counts(names: Sequence[str]) -> tuple[str, ...]:
    """Return ``ROWS`` of other classes."""
    return (*names, MEAN, "all")


@dataclass(frozen=True, slots=True, eq=False)
class PhotoCounts:
    """Counts of P photos, by class and by the size of the labelled face (a column of ``SIZES``).

    Attributes:
        faces: (P, C, 4) int64, labelled faces.
        right: (P, C, 4) int64, those that a detection of their class found.
        reported: (P, C) int64, detections.
    """

    faces: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    reported: npt.NDArray[np.int64]

    def figures(self, weights: npt.NDArray[np.int32]) -> dict[str, npt.NDArray[np.float64]]:
        """Return precision, recall and F1 of draws of photos.

        Args:
            weights: (B, P) int32, how often each photo counts; a row of ones for all photos as they are.

        Returns:
            ``"precision"`` and ``"f1"``: (B, C + 2) float64, faces of every size, by ``ROWS``; ``"recall"``:
            (B, C + 2, 4), by ``ROWS`` and size. NaN where there is nothing to count.
        """
        faces, right = (_with_all(np.tensordot(weights, counts, 1)) for counts in (self.faces, self.right))
        reported = _with_all(weights @ self.reported)
        labelled = faces[:, :, 0]
        precision = _share(right[:, :, 0], reported)
        # With faces to be found, reporting nothing is no precision, not an unknown one.
        precision[(reported == 0) & (labelled > 0)] = 0.0
        f1 = _share(2 * right[:, :, 0], reported + labelled)
        unlabelled = labelled[:, :-1] == 0
        return {
            "precision": _with_mean(precision, unlabelled),
            "recall": _with_mean(_share(right, faces)),
            "f1": _with_mean(f1, unlabelled),
        }


def count_photos(
    truths: Sequence[Truth],
    found: Sequence[Detections],
    *,
    conf: float | Sequence[float],
    iou: float = 0.5,
    classes: int = len(CLASS_NAMES),
) -> PhotoCounts:
    """Count what is right in each photo.

    Args:
        conf: detections at or below it are left out; one for all classes, or one a class.
    """
    limits = [conf] * classes if isinstance(conf, (int, float)) else list(conf)
    sizes = within_sizes(np.zeros((0, 4))).shape[1]
    faces = np.zeros((len(truths), classes, sizes), dtype=np.int64)
    right = np.zeros_like(faces)
    reported = np.zeros((len(truths), classes), dtype=np.int64)
    for photo, (truth, detected) in enumerate(zip(truths, found, strict=True)):
        within = within_sizes(truth.boxes)
        for class_id in range(classes):
            place = matched_faces(truth, detected, class_id, conf=limits[class_id], iou=iou)
            faces[photo, class_id] = within[truth.class_ids == class_id].sum(axis=0)
            right[photo, class_id] = within[place[place >= 0]].sum(axis=0)
            reported[photo, class_id] = len(place)
    return PhotoCounts(faces, right, reported)


def _with_all(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Append the sum over the classes, axis 1."""
    return np.concatenate([counts, counts.sum(axis=1, keepdims=True)], axis=1)


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    shares: npt.NDArray[np.float64] = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return shares


def _with_mean(rows: npt.NDArray[np.float64], left_out: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.float64]:
    """Put the mean of the classes, those left out apart, between them and the row of all faces; axis 1."""
    classes, rest = rows[:, :-1], rows[:, -1:]
    counted = classes if left_out is None else np.where(left_out, np.nan, classes)
    return np.concatenate([classes, mean_of_known(counted, axis=1), rest], axis=1)
