"""What a detector gets right at one confidence threshold, photo by photo, so that draws of photos can be counted.

Precision, recall and F1 are those of ``operating_point``: each class is matched on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.coco_scores import within_sizes
from maskdet.detector.evaluate import mean_of_known
from maskdet.detector.labelled import Truth
from maskdet.detector.operating_point import matched_faces
from maskdet.detector.postprocess import Detections
from maskdet.detector.val_report import MEAN

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
        truths: one a photo.
        found: one a photo, in the same order.
        conf: detections at or below it are left out; one for all classes, or one a class.
        iou: least overlap with a face.
        classes: how many there are.

    Raises:
        MissingExtraError: faster-coco-eval, whose IoU is used, is not installed.
        ValueError: the two differ in length.
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
