"""From the network's output to boxes: confidence filter, NMS, and back to the picture's pixels."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.letterbox import Letterbox

#: YOLO's limits: most candidates that enter NMS, and most boxes that leave it.
MAX_CANDIDATES: Final = 30_000
MAX_DETECTIONS: Final = 300

#: Boxes above this have a word in the class of the box that suppresses them, also where ``conf`` is higher: what is
#: said of a face must not depend on the threshold.
POOLED_ABOVE: Final = 0.25


class Detections(NamedTuple):
    """Boxes of one picture, most confident first.

    Attributes:
        boxes: (N, 4) float32, xyxy in pixels.
        confidences: (N,) float32, 0 to 1.
        class_ids: (N,) int64.
        scores: (N, C) float32, what the network gave every class of each box, 0 to 1 each (they need not sum to 1);
            None where it gives one class only.
    """

    boxes: npt.NDArray[np.float32]
    confidences: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32] | None = None

    def take(self, kept: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Detections:
        """Return some of the boxes, by (K,) indices or an (N,) mask."""
        scores = None if self.scores is None else self.scores[kept]
        return Detections(self.boxes[kept], self.confidences[kept], self.class_ids[kept], scores)


def box_iou(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Intersection over union of every pair.

    Args:
        first: (N, 4) xyxy.
        second: (M, 4) xyxy.

    Returns:
        (N, M), 0 where both boxes are empty.

    >>> box_iou(np.array([[0., 0., 2., 2.]]), np.array([[1., 0., 3., 2.]])).round(4).tolist()
    [[0.3333]]
    """
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    far = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.prod(np.clip(far - corner, 0, None), axis=2)
    area_first = np.prod(first[:, 2:] - first[:, :2], axis=1)
    area_second = np.prod(second[:, 2:] - second[:, :2], axis=1)
    union = area_first[:, None] + area_second[None, :] - overlap
    iou: npt.NDArray[np.floating] = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    return iou


def non_maximum_suppression(
    boxes: npt.NDArray[np.float32], confidences: npt.NDArray[np.float32], iou: float, most: int | None = None
) -> npt.NDArray[np.int64]:
    """Greedy NMS: keep the most confident box, drop those that overlap it by more than ``iou``, repeat.

    Args:
        boxes: (N, 4) float32, xyxy.
        confidences: (N,) float32.
        iou: threshold, 0 to 1; a pair exactly at it is kept.
        most: stop once so many are kept; None for no end.

    Returns:
        (K,) int64 indices of the kept boxes, most confident first (ties in input order).
    """
    order = np.argsort(-confidences, kind="stable")
    left, top, right, bottom = np.ascontiguousarray(boxes[order].T)
    # The arithmetic is that of box_iou, for one box and in columns: five times as fast where there are thousands.
    columns = np.stack([left, top, right, bottom, (right - left) * (bottom - top)])
    kept: list[int] = []
    while order.size and len(kept) != most:
        kept.append(int(order[0]))
        left, top, right, bottom, area = columns[:, 0]
        rest = columns[:, 1:]
        width = np.minimum(right, rest[2]) - np.maximum(left, rest[0])
        height = np.minimum(bottom, rest[3]) - np.maximum(top, rest[1])
        overlap = np.clip(width, 0, None) * np.clip(height, 0, None)
        union = area + rest[4] - overlap
        share = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
        apart = share <= iou
        order, columns = order[1:][apart], rest[:, apart]
    return np.array(kept, dtype=np.int64)


def pool_scores(
    boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], kept: npt.NDArray[np.int64], iou: float
) -> npt.NDArray[np.float32]:
    """Give each kept box, for every class, the best score among itself and the boxes that it suppressed.

    Where boxes of all classes suppress each other, the anchor that is surest of a class may lose to a neighbour that is
    surer of another; its word should not be lost with its box.

    Args:
        boxes: (N, 4) float32, xyxy.
        scores: (N, C) float32.
        kept: (K,) int64 indices, most confident first, as ``non_maximum_suppression`` gives them.

    Returns:
        (K, C) float32.

    >>> boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], np.float32)
    >>> scores = np.array([[0.75, 0.0], [0.25, 0.5], [0.0, 0.25]], np.float32)
    >>> pool_scores(boxes, scores, np.array([0, 2]), 0.7).tolist()
    [[0.75, 0.5], [0.0, 0.25]]
    """
    pooled = scores[kept].copy()
    if not len(kept):
        return pooled
    near = box_iou(boxes, boxes[kept]) > iou
    near[kept] = False  # a kept box speaks for itself alone
    # Of several kept boxes, the most confident one suppressed it: the first.
    suppressed = np.flatnonzero(near.any(axis=1))
    np.maximum.at(pooled, near[suppressed].argmax(axis=1), scores[suppressed])
    return pooled


def select(
    output: npt.NDArray[np.float32],
    *,
    conf: float,
    iou: float,
    agnostic: bool = False,
    multi_label: bool = False,
    max_detections: int = MAX_DETECTIONS,
) -> Detections:
    """Pick the boxes of one picture out of the network's output.

    Args:
        output: (4 + C, A) float32 for a network that needs NMS: rows cx, cy, w, h in input pixels, then one
            probability a class, for A anchors; or (A, 6) float32 for an end-to-end network: x1, y1, x2, y2,
            confidence, class.
        conf: boxes must be more confident than this.
        multi_label: a box may stand once for every class above ``conf`` (how mAP is measured), not only its best one.

    Returns:
        Boxes in input pixels.
    """
    if output.shape[-1] == 6:
        rows = output[output[:, 4] > conf][:max_detections]
        return Detections(
            rows[:, :4].astype(np.float32), rows[:, 4].astype(np.float32), np.rint(rows[:, 5]).astype(np.int64)
        )
    scores = output[4:]
    floor = min(conf, POOLED_ABOVE) if agnostic else conf
    if multi_label:
        class_ids, anchors = np.nonzero(scores > floor)
    else:
        anchors = np.flatnonzero(scores.max(axis=0) > floor)
        class_ids = scores[:, anchors].argmax(axis=0)
    confidences = scores[class_ids, anchors]
    if anchors.size > MAX_CANDIDATES:
        best = np.argsort(-confidences, kind="stable")[:MAX_CANDIDATES]
        anchors, class_ids, confidences = anchors[best], class_ids[best], confidences[best]
    centre, half = output[:2, anchors].T, output[2:4, anchors].T / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    # Classes are kept apart by moving each to a plane of its own, wider than any input.
    planes = boxes if agnostic else boxes + class_ids[:, None].astype(np.float32) * 7680
    kept = non_maximum_suppression(planes, confidences, iou, max_detections)
    every = scores[:, anchors].T
    found = Detections(boxes, confidences, class_ids.astype(np.int64), every).take(kept)
    if agnostic:
        found = found._replace(scores=pool_scores(boxes, every, kept, iou)).take(confidences[kept] > conf)
    return found


def best_confidence(output: npt.NDArray[np.float32]) -> float:
    """Return the highest confidence of one picture's output, as ``select`` takes it; 0 where it has no boxes.

    >>> best_confidence(np.array([[8, 8], [8, 8], [4, 4], [4, 4], [0.5, 0.1], [0.25, 0.75]], dtype=np.float32))
    0.75
    """
    scores = output[:, 4] if output.shape[-1] == 6 else output[4:]
    return float(scores.max(initial=0.0))


def to_picture(found: Detections, letterbox: Letterbox) -> Detections:
    """Map boxes from input pixels to pixels of the picture; those left with no area are dropped."""
    boxes = letterbox.restore(found.boxes)
    solid: npt.NDArray[np.bool_] = np.all(boxes[:, 2:] > boxes[:, :2], axis=1)
    return found._replace(boxes=boxes).take(solid)
