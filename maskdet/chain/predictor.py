"""``ChainPredictor``: faces from the detector, a second opinion from the classifier, one answer or both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from maskdet.chain.fusion import DEFAULT_RULE, FusionRule, class_scores, fuse, shorter_sides
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import CropAnswer, MaskClassifier
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import WeightsError
from maskdet.results import Face, ImageInfo, MaskResult

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
