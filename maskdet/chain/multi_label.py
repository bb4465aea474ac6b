"""Boxes with a score for every class, as average precision takes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from maskdet.detector.postprocess import Detections


def every_class(boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], conf: float) -> Detections:
    """Let each box stand once for every class whose score exceeds ``conf``, most confident first.

    Args:
        boxes: (N, 4) float32, xyxy in pixels.
        scores: (N, C) float32, 0 to 1 each.
        conf: scores at or below it are left out.

    >>> found = every_class(np.zeros((1, 4), np.float32), np.array([[0.25, 0.5, 0.0]], np.float32), 0.001)
    >>> found.class_ids.tolist(), found.confidences.tolist()
    ([1, 0], [0.5, 0.25])
    """
    rows, class_ids = np.nonzero(scores > conf)
    confidences = scores[rows, class_ids]
    order = np.argsort(-confidences, kind="stable")
    rows, class_ids = rows[order], class_ids[order]
    return Detections(boxes[rows], confidences[order], class_ids.astype(np.int64), scores[rows])
