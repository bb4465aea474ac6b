"""What a detector does at one confidence threshold: precision, recall, F1, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.labelled import Truth
from maskdet.detector.matching import coco_iou, match
from maskdet.detector.postprocess import Detections


@dataclass(frozen=True, slots=True)
class ClassPoint:
    """Counts of one class.

    Attributes:
        right: detections that found a face of their class.
        wrong: detections that did not.
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
        conf: detections count above this confidence.
        iou: and find a face from this overlap on.
        classes: in class order.
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

    Args:
        truths: one a photo.
        found: one a photo, in the same order.
        conf: detections at or below it are left out.
        iou: least overlap with a face.
        classes: how many there are.

    Raises:
        MissingExtraError: faster-coco-eval, whose IoU is used, is not installed.
        ValueError: ``truths`` and ``found`` differ in length.
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
