"""Which detection finds which labelled face: COCO's greedy matching, for one photo at several IoU thresholds."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

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

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
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
