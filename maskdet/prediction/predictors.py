"""Which model answers: the detector, the classifier, both chained, or both side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Unpack, get_args

from maskdet.prediction.pipeline import Predictor

if TYPE_CHECKING:
    from maskdet.classifier.inference.model import MaskClassifier
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.detector.inference.options import DetectorOptions

Mode = Literal["detect", "classify", "chain", "compare"]


def choose_predictor(
    mode: Mode,
    detector: MaskDetector | None = None,
    classifier: MaskClassifier | None = None,
    **options: Unpack[DetectorOptions],
) -> Predictor:
    """Return what answers for a batch of pictures.

    Args:
        mode: see ``maskdet.predict``.
        detector: a loaded model, else one is loaded where the mode needs it.
        classifier: likewise.
        **options: passed to ``MaskDetector``.

    Raises:
        ValueError: an unknown mode, or an option out of its range.
        TypeError: options beside a loaded detector, or a model or options that the mode does not use.
        WeightsError: a model cannot be used.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"unknown mode {mode!r}: the modes are {', '.join(get_args(Mode))}")
    if detector is not None and options:
        raise TypeError(f"{', '.join(options)} belong to the detector: give them to MaskDetector(...)")
    if mode == "detect" and classifier is not None:
        raise TypeError("mode='detect' asks no classifier: use chain or compare")
    if mode == "classify" and (detector is not None or options):
        raise TypeError("mode='classify' asks no detector: each picture is taken as a face crop")
    if mode == "classify":
        from maskdet.classifier.inference.model import MaskClassifier

        return Predictor((classifier or MaskClassifier()).predict_batch)
    from maskdet.detector.inference.model import MaskDetector

    detector = detector or MaskDetector(**options)
    if mode == "detect":
        return Predictor(detector.detect_batch, detector.workers)
    from maskdet.chain.predictor import ChainPredictor

    return Predictor(ChainPredictor(detector, classifier, mode=mode).predict_batch, detector.workers)
