"""COCO's rules: which detection finds which face, and average precision, by size of the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.postprocess import MAX_DETECTIONS, Detections
from maskdet.extras import require

#: Least overlap of a box with a face that it found, where one threshold is enough.
MATCH_IOU: Final = 0.5


def to_xywh(boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Turn (N, 4) xyxy into (N, 4) float64 x, y, width, height, as COCO stores boxes.

    >>> to_xywh(np.array([[10, 20, 40, 60]])).tolist()
    [[10.0, 20.0, 30.0, 40.0]]
    """
    exact = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate([exact[:, :2], exact[:, 2:] - exact[:, :2]], axis=1)


def coco_iou(found: npt.NDArray[Any], true: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Intersection over union as COCO's own code computes it.

    A pair exactly at a threshold must fall on the same side here as there, so its arithmetic is used, not a copy of it.

    Args:
        found: (D, 4) xyxy in pixels.
        true: (G, 4) xyxy in pixels.

    Returns:
        (D, G) float64.
    """
    if not len(found) or not len(true):
        return np.zeros((len(found), len(true)))
    mask = require("faster_coco_eval.core.mask", what="maskdet val", extra="train")
    return np.asarray(mask.iou(to_xywh(found), to_xywh(true), [0] * len(true)), dtype=np.float64)


def match(
    iou: npt.NDArray[np.float64],
    thresholds: npt.NDArray[np.float64],
    ignored: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.int64]:
    """Match detections to labelled faces, most confident first, each face once.

    The rule is ``COCOeval.evaluateImg`` of pycocotools: a detection takes the free face it overlaps most, at or above
    the threshold; of equal ones the last; an ignored face only where no other is left.

    Args:
        iou: (D, G) float64, detections from the most confident to the least.
        thresholds: (T,) float64.
        ignored: (G,) bool, faces outside the size range that is scored; none by default.

    Returns:
        (T, D) int64: the face of each detection at each threshold, -1 for none.

    >>> match(np.array([[0.6, 0.0], [0.9, 0.0]]), np.array([0.5, 0.75])).tolist()
    [[0, -1], [-1, 0]]
    """
    detections, faces = iou.shape
    found = np.full((len(thresholds), detections), -1, dtype=np.int64)
    if not detections or not faces:
        return found
    limits = np.minimum(thresholds, 1 - 1e-10)[:, None]
    counted = np.ones(faces, dtype=np.bool_) if ignored is None else ~ignored
    free = np.ones((len(thresholds), faces), dtype=np.bool_)
    every = np.arange(len(thresholds))
    for detection in np.flatnonzero(iou.max(axis=1) >= limits.min()):
        able = free & (iou[detection] >= limits)
        preferred = able & counted
        able = np.where(preferred.any(axis=1, keepdims=True), preferred, able)
        # argmax takes the first of equals; COCO's loop keeps the last.
        best = faces - 1 - np.where(able, iou[detection], -1.0)[:, ::-1].argmax(axis=1)
        hit = able.any(axis=1)
        found[hit, detection] = best[hit]
        free[every[hit], best[hit]] = False
    return found


#: COCO's: AP50 is the first, AP50-95 the mean over all.
IOU_THRESHOLDS: Final = np.linspace(0.5, 0.95, 10)
#: COCO's: precision is read at each of these recalls.
RECALLS: Final = np.linspace(0.0, 1.0, 101)

#: Name -> (shortest, longest) side of a face in pixels of the photo, the side being the square root of the box's area.
#: As in COCO a face exactly on a border counts in both ranges. The upper end is COCO's for "no limit".
SIZES: Final[dict[str, tuple[float, float]]] = {
    "all": (0.0, 1e5),
    "<16 px": (0.0, 16.0),
    "16-32 px": (16.0, 32.0),
    ">32 px": (32.0, 1e5),
}


def within_sizes(boxes: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return (N, 4) bool: which of ``SIZES`` each of (N, 4) xyxy boxes counts in.

    >>> within_sizes(np.array([[0, 0, 16, 16], [0, 0, 10, 90]])).tolist()
    [[True, True, True, False], [True, False, True, False]]
    """
    sides = to_xywh(boxes)[:, 2:]
    area = sides[:, 0] * sides[:, 1]
    return np.stack([(area >= low**2) & (area <= high**2) for low, high in SIZES.values()], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class CocoScores:
    """What COCO's evaluation found.

    Attributes:
        precision: (10, 101, C, 4) float64: IoU threshold, recall, class, size; -1 where no face is labelled.
        recall: (10, C, 4) float64: IoU threshold, class, size: the highest recall reached; -1 as above.
    """

    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]

    @property
    def ap(self) -> npt.NDArray[np.float64]:
        """(10, C, 4) float64 average precision by IoU threshold, class and size; NaN where no face is labelled."""
        averaged: npt.NDArray[np.float64] = self.precision.mean(axis=1)
        averaged[self.precision[:, 0] < 0] = np.nan
        return averaged

    @property
    def curves(self) -> npt.NDArray[np.float64]:
        """(C, 101) float64 precision at ``RECALLS`` for each class at IoU 0.5; NaN where no face is labelled."""
        drawn: npt.NDArray[np.float64] = self.precision[0, :, :, 0].T.copy()
        drawn[drawn < 0] = np.nan
        return drawn


def coco_dicts(
    truths: Sequence[Truth], found: Sequence[Detections], names: Sequence[str] = CLASS_NAMES
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    """Return truth and detections as two COCO data sets; ids count from 1, because 0 means "none" to COCO."""
    categories = [{"id": index, "name": name} for index, name in enumerate(names, 1)]
    images = [{"id": index} for index in range(1, len(truths) + 1)]
    faces: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for image, (truth, detected) in enumerate(zip(truths, found, strict=True), 1):
        for box, class_id in zip(to_xywh(truth.boxes).tolist(), truth.class_ids.tolist(), strict=True):
            faces.append(_annotation(len(faces) + 1, image, class_id, box))
        scored = zip(
            to_xywh(detected.boxes).tolist(), detected.confidences.tolist(), detected.class_ids.tolist(), strict=True
        )
        for box, confidence, class_id in scored:
            answers.append({**_annotation(len(answers) + 1, image, class_id, box), "score": confidence})
    return (
        {"images": images, "categories": categories, "annotations": faces},
        {"images": images, "categories": categories, "annotations": answers},
    )


def _annotation(number: int, image: int, class_id: int, box: list[float]) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": class_id + 1,
        "bbox": box,
        "area": box[2] * box[3],
        "iscrowd": 0,
    }


def set_parameters(parameters: Any) -> None:
    """Set what COCOeval is asked: our size ranges, and up to 300 boxes a photo as YOLO reports them.

    Args:
        parameters: ``COCOeval.params``, of faster-coco-eval or of pycocotools.
    """
    parameters.iouThrs, parameters.recThrs = IOU_THRESHOLDS, RECALLS
    # COCO's code wants three limits; only the last is read.
    parameters.maxDets = [1, 10, MAX_DETECTIONS]
    parameters.areaRng = [[low**2, high**2] for low, high in SIZES.values()]
    parameters.areaRngLbl = list(SIZES)


def coco_scores(truths: Sequence[Truth], found: Sequence[Detections], names: Sequence[str] = CLASS_NAMES) -> CocoScores:
    """Score detections as COCO does.

    Args:
        found: one a photo, in the same order, from a low confidence threshold on (YOLO's ``val`` takes 0.001).
    """
    module = require("faster_coco_eval", what="maskdet val", extra="train")
    true, answered = coco_dicts(truths, found, names)
    evaluation = module.COCOeval_faster(module.COCO(true), module.COCO(answered), iouType="bbox")
    set_parameters(evaluation.params)
    evaluation.evaluate()
    evaluation.accumulate()
    return CocoScores(
        np.asarray(evaluation.eval["precision"], dtype=np.float64)[..., -1],
        np.asarray(evaluation.eval["recall"], dtype=np.float64)[..., -1],
    )
