"""What detector and classifier say of the photos of a labelled split: each network runs once, all figures follow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from maskdet.chain.fusion import FusionRule, class_scores, fuse, shorter_sides
from maskdet.chain.predictor import check_same_classes
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.model import MaskClassifier
from maskdet.decode import decode_file
from maskdet.detector.calibrated_onnx import calibrated_conf
from maskdet.detector.evaluate import VAL_CONF
from maskdet.detector.labelled import LabelledSplit, Truth
from maskdet.detector.model import DEFAULT_IOU, MaskDetector
from maskdet.detector.postprocess import Detections
from maskdet.progress import track


@dataclass(frozen=True, slots=True, eq=False)
class PhotoAnswers:
    """What both say of one photo; N boxes found, G faces labelled.

    Attributes:
        shipped: the detector's boxes as ``maskdet val`` scores them: NMS for each class alone.
        boxes: (N, 4) float32, xyxy in pixels, one a face: NMS over all classes together; most confident first.
        scores: (N, 3) float32, the detector's score of every class on ``boxes``, 0 to 1 each.
        on_boxes: (N, 3) float32, the classifier's probabilities on ``boxes``.
        on_faces: (G, 3) float32, the classifier's probabilities on the labelled boxes.
    """

    shipped: Detections
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    on_boxes: npt.NDArray[np.float32]
    on_faces: npt.NDArray[np.float32]

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
    """Run both networks over a split, from ``VAL_CONF`` on: the detector's score as trained (see ``least_conf``).

    Args:
        detector: finds the faces; always on whole pictures.
        classifier: looks at each box, and at each labelled face.
        labelled: the photos and their faces.
        iou: the detector's NMS threshold.
        batch: photos decoded and run at once.
        quiet: draw no progress bar.

    Returns:
        One a photo.

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
            answers.append(_photo_answers(image, truth, shipped, found, classifier))
    return answers


def least_conf(detector: MaskDetector) -> float:
    """Return the confidence from which average precision is measured: what a calibration makes of ``VAL_CONF``."""
    return calibrated_conf(detector.metadata, VAL_CONF)


def _photo_answers(
    image: npt.NDArray[np.uint8], truth: Truth, shipped: Detections, found: Detections, classifier: MaskClassifier
) -> PhotoAnswers:
    # Found and labelled faces go through the classifier together: a call of its own for a face or two costs more.
    both = classifier.classify_boxes(image, np.concatenate([found.boxes.astype(np.float64), truth.boxes]))
    count = len(found.boxes)
    return PhotoAnswers(shipped, found.boxes, class_scores(found, len(CLASS_NAMES)), both[:count], both[count:])
