"""How the detector's and the classifier's answers on a face become one.

For every class the fused score is the weighted geometric mean of what both say: the detector's own score of the class,
and its confidence that there is a face at all (its highest score) times the classifier's probability of the class::

    fused = detector ** (1 − weight) · (confidence · classifier) ** weight

With weight 0 that is the detector's score, with weight 1 the classifier decides alone. Faces that are too small for the
classifier keep the detector's answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.postprocess import Detections


@dataclass(frozen=True, slots=True)
class FusionRule:
    """How much the classifier's word weighs, 0 to 1, and from which shorter side of a face on, in pixels."""

    weight: float
    least_side: float

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one is out of its range.
        """
        if not 0 <= self.weight <= 1:
            raise ValueError(f"the classifier's weight must be between 0 and 1, not {self.weight}")
        if not self.least_side >= 0:
            raise ValueError(f"the least side must not be negative, not {self.least_side}")


#: Chosen on training photos only; ``docs/experiments.md`` has the table.
DEFAULT_RULE: Final = FusionRule(weight=0.7, least_side=0.0)


def class_scores(found: Detections, classes: int) -> npt.NDArray[np.float32]:
    """Return (N, C) float32 scores; of a network that gives one class a box, the others get zero."""
    if found.scores is not None:
        return found.scores
    scores = np.zeros((len(found.boxes), classes), np.float32)
    scores[np.arange(len(scores)), found.class_ids] = found.confidences
    return scores


def fuse(
    scores: npt.NDArray[np.float32],
    probabilities: npt.NDArray[np.float32],
    sides: npt.NDArray[np.float32],
    rule: FusionRule = DEFAULT_RULE,
) -> npt.NDArray[np.float32]:
    """Return the fused score of every class of every face, (N, C) float32, 0 to 1 each.

    Of the detector's (N, C) scores, 0 to 1 each, the classifier's (N, C) probabilities, whose rows' sum is 1, and (N,)
    shorter sides in pixels.

    >>> scores = np.array([[0.64, 0.01, 0.16]], np.float32)
    >>> probabilities = np.array([[0.25, 0.0, 0.75]], np.float32)
    >>> for side in (30, 15):
    ...     print([f"{score:.4f}" for score in fuse(scores, probabilities, np.float32([side]), FusionRule(0.5, 16))[0]])
    ['0.3200', '0.0000', '0.2771']
    ['0.6400', '0.0100', '0.1600']
    """
    weight = np.where(sides >= rule.least_side, np.float32(rule.weight), np.float32(0))[:, None]
    confidence = scores.max(axis=1, keepdims=True, initial=0)
    fused: npt.NDArray[np.float32] = scores ** (1 - weight) * (confidence * probabilities) ** weight
    return fused.astype(np.float32)


def shorter_sides(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the shorter side of (N, 4) xyxy boxes, (N,) float32 in pixels."""
    sides: npt.NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf)
    return sides
