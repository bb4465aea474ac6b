"""Two networks on the same pictures: how far the answers differ, and which is faster."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.postprocess import box_iou, select
from maskdet.detector.inference.runtime import Runtime

#: A face of one network is a face of the other where the boxes overlap by this much.
SAME_FACE_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Agreement:
    """The faces that a first network reports, looked for among those of a second.

    Attributes:
        found: how many of these the second reports too, at the same threshold.
        iou: mean overlap of the boxes found, 0 to 1; NaN where none was found.
        confidence: mean absolute difference of their confidences, 0 to 1; NaN likewise.
    """

    faces: int
    found: int
    same_class: int
    extra: int
    iou: float
    confidence: float


def compare_faces(
    first: Runtime, second: Runtime, batches: Sequence[npt.NDArray[np.float32]], *, conf: float, iou: float
) -> Agreement:
    """Run both and pair their faces, the best overlap first.

    Args:
        batches: each (N, 3, H, W) float32 RGB in 0 to 1.
        conf: threshold of both, 0 to 1.
        iou: NMS threshold of both, 0 to 1.
    """
    faces = extra = 0
    pairs: list[tuple[float, float, bool]] = []
    for batch in batches:
        for raw_one, raw_two in zip(first(batch), second(batch), strict=True):
            one, two = (select(raw, conf=conf, iou=iou) for raw in (raw_one, raw_two))
            overlap = np.array(box_iou(one.boxes, two.boxes), dtype=np.float64)
            faces += len(one.boxes)
            matched = 0
            while overlap.size and overlap.max() >= SAME_FACE_IOU:
                row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
                difference = abs(float(one.confidences[row] - two.confidences[column]))
                same = bool(one.class_ids[row] == two.class_ids[column])
                pairs.append((float(overlap[row, column]), difference, same))
                overlap[row], overlap[:, column] = 0, 0
                matched += 1
            extra += len(two.boxes) - matched
    mean_iou, mean_difference = (
        float(np.mean([pair[index] for pair in pairs])) if pairs else float("nan") for index in (0, 1)
    )
    return Agreement(faces, len(pairs), sum(pair[2] for pair in pairs), extra, mean_iou, mean_difference)


def times_faster(first: Runtime, second: Runtime, batches: Sequence[npt.NDArray[np.float32]], runs: int = 12) -> float:
    """Return how many times faster the second is: the median over pairs of runs, one after the other on one input.

    Whatever else the machine does hits both sides of a pair.

    Args:
        batches: inputs, (N, 3, H, W) float32, taken in turn.
    """
    for batch in batches:  # once unmeasured: memory is laid out for each shape
        first(batch), second(batch)
    ratios = []
    for index in range(runs):
        batch = batches[index % len(batches)]
        start = time.perf_counter()
        first(batch)
        between = time.perf_counter()
        second(batch)
        ratios.append((between - start) / (time.perf_counter() - between))
    return float(np.median(ratios))
