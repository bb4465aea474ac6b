"""``ChainPredictor``: faces from the detector, a second opinion from the classifier, and how both answers become one.

For every class the fused score is the weighted geometric mean of what both say: the detector's own score of the class,
and its confidence that there is a face at all (its highest score) times the classifier's probability of the class::

    fused = detector ** (1 − weight) · (confidence · classifier) ** weight

With weight 0 that is the detector's score, with weight 1 the classifier decides alone. Faces that are too small for the
classifier keep the detector's answer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import CropAnswer, MaskClassifier
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import WeightsError
from maskdet.results import Face, ImageInfo, MaskResult


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


#: chain: both make one answer · compare: the detector's answer, and beside it the classifier's.
ChainMode = Literal["chain", "compare"]


class ChainPredictor:
    """Detector and classifier on the same faces; safe to use from several threads, as both are."""

    def __init__(
        self,
        detector: MaskDetector | None = None,
        classifier: MaskClassifier | None = None,
        *,
        mode: ChainMode = "chain",
        rule: FusionRule = DEFAULT_RULE,
    ) -> None:
        """Put both together, the shipped ones unless given.

        Raises:
            WeightsError: a shipped model cannot be used, or the detector has other classes than the classifier.
        """
        self.detector = detector or MaskDetector()
        self.classifier = classifier or MaskClassifier()
        self._mode, self._rule = mode, rule
        check_same_classes(self.detector)

    def predict_batch(
        self, images: Sequence[npt.NDArray[np.uint8]], infos: Sequence[ImageInfo], *, keep_pixels: bool = True
    ) -> list[MaskResult]:
        """Answer for a batch of (H, W, 3) uint8 BGR pictures; all faces of one go through the classifier together.

        A face is found once: boxes of different classes suppress each other, since it gets one answer. Each face's
        ``classifier`` holds the classifier's name, confidence and probabilities, and ``agrees``: whether its class is
        the detector's. A fused confidence may lie below the detector's threshold: the face was found all the same.

        Returns:
            One result a picture, its faces most confident first; ``time_ms`` is the batch's time shared evenly.
        """
        start = time.perf_counter()
        found = self.detector.detect_arrays(images, agnostic=True)
        faces = [self._faces(image, one) for image, one in zip(images, found, strict=True)]
        share = (time.perf_counter() - start) * 1000 / max(len(images), 1)
        return [
            MaskResult(one, info, self.detector.info, share, image if keep_pixels else None)
            for one, info, image in zip(faces, infos, images, strict=True)
        ]

    def _faces(self, image: npt.NDArray[np.uint8], found: Detections) -> list[Face]:
        if not len(found.boxes):
            return []
        probabilities = self.classifier.classify_boxes(image, found.boxes)
        scores = class_scores(found, len(CLASS_NAMES))
        if self._mode == "chain":
            scores = fuse(scores, probabilities, shorter_sides(found.boxes), self._rule)
        class_ids, confidences = scores.argmax(axis=1), scores.max(axis=1)
        faces = []
        for at in np.argsort(-confidences, kind="stable").tolist():
            answer = CropAnswer.of(probabilities[at])
            second: dict[str, Any] = {**answer.to_dict(), "agrees": answer.class_id == int(found.class_ids[at])}
            x1, y1, x2, y2 = found.boxes[at].tolist()
            name = CLASS_NAMES[class_ids[at]]
            faces.append(Face(name, int(class_ids[at]), float(confidences[at]), (x1, y1, x2, y2), classifier=second))
        return faces


def check_same_classes(detector: MaskDetector) -> None:
    """Refuse a detector whose classes are not the classifier's, by name.

    Raises:
        WeightsError: it has others.
    """
    if detector.names != CLASS_NAMES:
        shown = ", ".join(detector.names[:4]) + (", …" if len(detector.names) > 4 else "")
        reason = f"its classes are {shown}, and the classifier's are {', '.join(CLASS_NAMES)}: use --mode detect"
        raise WeightsError(detector.info.name, reason)
