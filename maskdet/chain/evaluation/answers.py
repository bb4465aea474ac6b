"""What detector and classifier say of the photos of a labelled split: each network runs once, all figures follow.

Average precision takes boxes with a score for every class; the classes are compared on the labelled faces that the
detector found, whatever class it gave them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.chain.predictor import FusionRule, check_same_classes, class_scores, fuse, shorter_sides
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.detector.evaluation.coco import MATCH_IOU, coco_iou, match
from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_IOU
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.thresholds import calibrated_conf
from maskdet.imaging.decode import decode_file
from maskdet.terminal.progress import track

#: Below the thresholds that are used, and above what takes room: of the detections reported these are kept.
REPORT_CONF: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class PhotoAnswers:
    """What both say of one photo; N boxes found, G faces labelled.

    Attributes:
        shipped: the detector's boxes as ``maskdet val`` scores them: NMS for each class alone.
        boxes: (N, 4) float32, xyxy in pixels, one a face: NMS over all classes together; most confident first.
        scores: (N, 3) float32, the detector's score of every class on ``boxes``, 0 to 1 each.
        on_boxes: (N, 3) float32, the classifier's probabilities on ``boxes``.
        on_faces: (G, 3) float32, the classifier's probabilities on the labelled boxes.
        reported: what ``maskdet detect`` reports above ``REPORT_CONF``: the best class of a box.
    """

    shipped: Detections
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    on_boxes: npt.NDArray[np.float32]
    on_faces: npt.NDArray[np.float32]
    reported: Detections | None = None

    def fused(self, rule: FusionRule) -> npt.NDArray[np.float32]:
        """Return (N, 3) float32: the chain's score of every class on ``boxes``."""
        return fuse(self.scores, self.on_boxes, shorter_sides(self.boxes), rule)


def ask_both(
    detector: MaskDetector,
    classifier: MaskClassifier,
    labelled: LabelledSplit,
    *,
    iou: float = DEFAULT_IOU,
    batch: int = 16,
    quiet: bool = True,
) -> list[PhotoAnswers]:
    """Run both networks over a split, one answer a photo: the detector on whole pictures, the classifier on all boxes.

    Boxes count from ``VAL_CONF`` on: the detector's score as trained (see ``least_conf``).

    Raises:
        SourceError: a photo that cannot be decoded.
        WeightsError: the detector has other classes than the classifier.
    """
    check_same_classes(detector)
    answers: list[PhotoAnswers] = []
    least = least_conf(detector)
    pairs = iter(track(list(zip(labelled.photos, labelled.truths, strict=True)), label="compare", quiet=quiet))
    while group := list(islice(pairs, batch)):
        images = [decode_file(photo) for photo, _ in group]
        for image, (_, truth), look in zip(images, group, detector.look(images), strict=True):
            shipped = look.select(conf=least, iou=iou, multi_label=True)
            found = look.select(conf=least, iou=iou, agnostic=True)
            reported = look.select(conf=REPORT_CONF, iou=DEFAULT_IOU)
            answers.append(_photo_answers(image, truth, shipped, found, reported, classifier))
    return answers


def least_conf(detector: MaskDetector) -> float:
    """Return the confidence from which average precision is measured: what a calibration makes of ``VAL_CONF``."""
    return calibrated_conf(detector.metadata, VAL_CONF)


def _photo_answers(
    image: npt.NDArray[np.uint8],
    truth: Truth,
    shipped: Detections,
    found: Detections,
    reported: Detections,
    classifier: MaskClassifier,
) -> PhotoAnswers:
    # Found and labelled faces go through the classifier together: a call of its own for a face or two costs more.
    both = classifier.classify_boxes(image, np.concatenate([found.boxes.astype(np.float64), truth.boxes]))
    count = len(found.boxes)
    return PhotoAnswers(
        shipped, found.boxes, class_scores(found, len(CLASS_NAMES)), both[:count], both[count:], reported
    )


def every_class(boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], conf: float) -> Detections:
    """Let each of N boxes stand once for every class whose (N, C) score exceeds ``conf``, most confident first.

    >>> found = every_class(np.zeros((1, 4), np.float32), np.array([[0.25, 0.5, 0.0]], np.float32), 0.001)
    >>> found.class_ids.tolist(), found.confidences.tolist()
    ([1, 0], [0.5, 0.25])
    """
    rows, class_ids = np.nonzero(scores > conf)
    confidences = scores[rows, class_ids]
    order = np.argsort(-confidences, kind="stable")
    rows, class_ids = rows[order], class_ids[order]
    return Detections(boxes[rows], confidences[order], class_ids.astype(np.int64), scores[rows])


@dataclass(frozen=True, slots=True, eq=False)
class MatchedFaces:
    """M pairs of a labelled face and the box that found it: photo, index of box and of face there, class."""

    photos: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    faces: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]

    def of_boxes(self, tables: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return (M, …) rows out of one table a photo with a row a found box."""
        return _rows(tables, self.found, self.photos)

    def of_faces(self, tables: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return (M, …) rows out of one table a photo with a row a labelled face."""
        return _rows(tables, self.faces, self.photos)


def match_faces(truths: Sequence[Truth], answers: Sequence[PhotoAnswers], *, conf: float) -> MatchedFaces:
    """Match boxes with labelled faces without regard to class, the most confident box first, each face once.

    Boxes whose highest score by the detector is at or below ``conf`` are left out.

    Raises:
        MissingExtraError: faster-coco-eval, whose IoU is used, is not installed.
        ValueError: the two differ in length.
    """
    columns: list[npt.NDArray[np.int64]] = []
    for photo, (truth, answer) in enumerate(zip(truths, answers, strict=True)):
        reported = np.flatnonzero(answer.scores.max(axis=1, initial=0) > conf)
        face = match(coco_iou(answer.boxes[reported], truth.boxes), np.array([MATCH_IOU]))[0]
        hit = face >= 0
        pairs = np.full((4, np.count_nonzero(hit)), photo, dtype=np.int64)
        pairs[1:] = reported[hit], face[hit], truth.class_ids[face[hit]]
        columns.append(pairs)
    photos, found, faces, labels = np.concatenate([np.zeros((4, 0), np.int64), *columns], axis=1)
    return MatchedFaces(photos, found, faces, labels)


def _rows(
    tables: Sequence[npt.NDArray[Any]], rows: npt.NDArray[np.int64], photos: npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    starts = np.cumsum([0, *(len(table) for table in tables)])
    return np.concatenate(tables)[starts[photos] + rows]
