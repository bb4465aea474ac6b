"""``ChainPredictor``: faces from the detector, a second opinion from the classifier, and how both answers become one.

For every class the fused score is the weighted geometric mean of what both say: the detector's own score of the class,
and its confidence that there is a face at all (its highest score) times the classifier's probability of the class::

    fused = detector ** (1 − weight) · (confidence · classifier) ** weight

With weight 0 that is the detector's score, with weight 1 the classifier decides alone. Faces that are too small for the
classifier keep the detector's answer, and so do those of which the detector is so sure that no answer of the classifier
could change their class: a probability below the rule's floor is taken as the floor, so that where every other class's
score is below ``floor ** (weight / (1 − weight))`` of the best, the best stays the best. The classifier is not asked
about these.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from maskdet.chain.on_demand import OnDemand
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import CropAnswer, MaskClassifier
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import WeightsError
from maskdet.results import Face, ImageInfo, MaskResult


@dataclass(frozen=True, slots=True)
class FusionRule:
    """How much the classifier's word weighs, 0 to 1, and from which shorter side of a face on, in pixels.

    Attributes:
        floor: the classifier's probabilities count as no less than this, 0 to less than 1.
    """

    weight: float
    least_side: float
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one is out of its range.
        """
        if not 0 <= self.weight <= 1:
            raise ValueError(f"the classifier's weight must be between 0 and 1, not {self.weight}")
        if not self.least_side >= 0:
            raise ValueError(f"the least side must not be negative, not {self.least_side}")
        if not 0 <= self.floor < 1:
            raise ValueError(f"the floor must be from 0 to less than 1, not {self.floor}")

    @property
    def least_rival(self) -> float:
        """The share of the best score up to which another class cannot overtake it, whatever the classifier says.

        >>> FusionRule(0.5, 0, 0.25).least_rival
        0.25
        """
        return self.floor ** (self.weight / (1 - self.weight)) if self.weight < 1 else 0.0


#: Weight and side were chosen on training photos only (``docs/experiments.md`` has the table), the floor on open photos
#: that no model had seen, where F1 changes by less than .01 and 45 of 100 faces are not asked about.
DEFAULT_RULE: Final = FusionRule(weight=0.7, least_side=0.0, floor=0.1)


def class_scores(found: Detections, classes: int) -> npt.NDArray[np.float32]:
    """Return (N, C) float32 scores; of a network that gives one class a box, the others get zero."""
    if found.scores is not None:
        return found.scores
    scores = np.zeros((len(found.boxes), classes), np.float32)
    scores[np.arange(len(scores)), found.class_ids] = found.confidences
    return scores


def undecided(
    scores: npt.NDArray[np.float32], sides: npt.NDArray[np.float32], rule: FusionRule = DEFAULT_RULE
) -> npt.NDArray[np.bool_]:
    """Say of each face whether the classifier can change its class, (N,) bool; arguments as of ``fuse``.

    >>> scores = np.array([[0.64, 0.0, 0.15], [0.64, 0.0, 0.17]], np.float32)
    >>> undecided(scores, np.float32([30, 30]), FusionRule(0.5, 16, 0.25)).tolist()
    [False, True]
    """
    rivals = np.sort(scores, axis=1)[:, :-1].max(axis=1, initial=0)
    can: npt.NDArray[np.bool_] = rivals >= rule.least_rival * scores.max(axis=1, initial=0)
    return can & (sides >= rule.least_side)


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
    weight = np.where(undecided(scores, sides, rule), np.float32(rule.weight), np.float32(0))[:, None]
    confidence = scores.max(axis=1, keepdims=True, initial=0)
    heard = np.maximum(probabilities, np.float32(rule.floor))
    fused: npt.NDArray[np.float32] = scores ** (1 - weight) * (confidence * heard) ** weight
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
        classifier: MaskClassifier | OnDemand | None = None,
        *,
        mode: ChainMode = "chain",
        rule: FusionRule = DEFAULT_RULE,
    ) -> None:
        """Put both together, the shipped ones unless given.

        Args:
            detector: a loaded model.
            classifier: likewise, or one that is loaded on demand.
            mode: one answer, or both side by side.
            rule: how both become one.

        Raises:
            WeightsError: a shipped model cannot be used, or the detector has other classes than the classifier.
        """
        self.detector = detector or MaskDetector()
        self._classifier = classifier or MaskClassifier()
        self._mode, self._rule = mode, rule
        check_same_classes(self.detector)
        self._limits = self.detector.chain_limits(_name_of(self._classifier))

    @property
    def classifier(self) -> MaskClassifier:
        """The classifier, loaded."""
        return self._classifier if isinstance(self._classifier, MaskClassifier) else self._classifier()

    def predict_batch(
        self, images: Sequence[npt.NDArray[np.uint8]], infos: Sequence[ImageInfo], *, keep_pixels: bool = True
    ) -> list[MaskResult]:
        """Answer for a batch of (H, W, 3) uint8 BGR pictures; all faces of one go through the classifier together.

        A face is found once: boxes of different classes suppress each other, since it gets one answer. Each face's
        ``classifier`` holds the classifier's name, confidence and probabilities, and ``agrees``: whether its class is
        the detector's; None where a chain had no need to ask. A face is reported when its fused confidence exceeds the
        number that was asked for, or its class's threshold of this chain in the model's file.

        Returns:
            One result a picture, its faces most confident first; ``time_ms`` is the batch's time shared evenly.
        """
        start = time.perf_counter()
        answer, conf = (self._both, None) if self._mode == "compare" else (self._one, self._limits.least)
        found = self.detector.detect_arrays(images, conf=conf, agnostic=True)
        faces = [answer(image, one) if len(one.boxes) else [] for image, one in zip(images, found, strict=True)]
        share = (time.perf_counter() - start) * 1000 / max(len(images), 1)
        info = self.detector.info if conf is None else replace(self.detector.info, conf=conf)
        return [
            MaskResult(one, of, info, share, image if keep_pixels else None)
            for one, of, image in zip(faces, infos, images, strict=True)
        ]

    def _both(self, image: npt.NDArray[np.uint8], found: Detections) -> list[Face]:
        """Return the detector's answers with the classifier's beside them."""
        return _faces(found, class_scores(found, len(CLASS_NAMES)), self.classifier.classify_boxes(image, found.boxes))

    def _one(self, image: npt.NDArray[np.uint8], found: Detections) -> list[Face]:
        """Return what both say together, with the classifier asked where it can change the class."""
        scores, sides = class_scores(found, len(CLASS_NAMES)), shorter_sides(found.boxes)
        open_to = undecided(scores, sides, self._rule)
        probabilities = np.full_like(scores, np.nan)
        if open_to.any():
            probabilities[open_to] = self.classifier.classify_boxes(image, found.boxes[open_to])
            scores[open_to] = fuse(scores[open_to], probabilities[open_to], sides[open_to], self._rule)
        if self._limits.fused is not None:
            kept = scores.max(axis=1) > self._limits.fused[scores.argmax(axis=1)]
            found, scores, probabilities = found.take(kept), scores[kept], probabilities[kept]
        return _faces(found, scores, probabilities)


def _name_of(classifier: MaskClassifier | OnDemand) -> str:
    return classifier.name if isinstance(classifier, OnDemand) else classifier.info.name


def _faces(found: Detections, scores: npt.NDArray[np.float32], probabilities: npt.NDArray[np.float32]) -> list[Face]:
    """Return the faces, most confident first, by (N, 3) scores; of (N, 3) probabilities a row of NaN was not asked."""
    class_ids, confidences = scores.argmax(axis=1), scores.max(axis=1)
    faces = []
    for at in np.argsort(-confidences, kind="stable").tolist():
        second: dict[str, Any] | None = None
        if not np.isnan(probabilities[at, 0]):
            answer = CropAnswer.of(probabilities[at])
            second = {**answer.to_dict(), "agrees": answer.class_id == int(found.class_ids[at])}
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
