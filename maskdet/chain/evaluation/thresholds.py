"""A detector's own thresholds, for it alone and for the chain, chosen on labelled photos that neither model has seen.

For each class the confidence with the best F1 at IoU 0.5, one answer a face, as users run it. Of a class with few faces
chance decides where that is, and a threshold that is too high throws its recall away: it is drawn towards the one that
all classes would share, the more the fewer its faces are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.chain.predictor import DEFAULT_RULE, FusionRule, check_same_classes, class_scores, fuse, shorter_sides
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.detector.evaluation.calibration import ERROR_ABOVE, FIT_CONF, Judged, best_threshold, fit_per_class, judge
from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.thresholds import CHAIN, NOTE, Calibration
from maskdet.imaging.decode import decode_file
from maskdet.statistics.calibration_error import expected_calibration_error
from maskdet.statistics.figures import plain
from maskdet.terminal.progress import track

SCHEMA: Final = "maskdet-thresholds/1"

#: A class of so many faces has a threshold half-way between its own and that of all classes.
EVEN_FACES: Final = 50

#: In so many parts the photos are divided for it.
_PARTS: Final = 5

#: A calibration error before and after, None where no detection counts.
BeforeAfter = tuple[float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class ModeThresholds:
    """One mode's thresholds, by class.

    Attributes:
        best: where F1 is best on these photos.
        common: the same for all classes together.
        chosen: between the two, by the number of faces.
        f1: of each class, F1 above 0.25 and above ``chosen``, on the photos that it was chosen on.
    """

    best: tuple[float, ...]
    common: float
    chosen: tuple[float, ...]
    f1: tuple[tuple[float, float], ...]

    def by_class(self) -> dict[str, float]:
        """Return the chosen ones by class name."""
        return {name: round(value, 6) for name, value in zip(CLASS_NAMES, self.chosen, strict=True)}


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What a detector's file is to say: its calibration, and the thresholds of both modes.

    Attributes:
        calibration: a temperature and a bias a class.
        ece: confidence -> calibration error above it before and after, each part of the photos calibrated by what the
            others say.
        ece_by_class: confidence -> class -> the same of its detections alone.
    """

    data: str
    photos: int
    faces: tuple[int, ...]
    detections: int
    classifier: str
    classifier_sha256: str
    calibration: Calibration
    ece: dict[float, BeforeAfter]
    ece_by_class: dict[float, dict[str, BeforeAfter]]
    detect: ModeThresholds
    chain: ModeThresholds

    def notes(self) -> dict[str, Any]:
        """Return what the file says beside temperature and bias."""
        photos = f"{self.photos} photos held out"
        return {
            "fitted_on": f"{self.data}: {self.detections} detections of {photos}, the errors after by cross-fitting",
            "ece_before": {str(above): plain(before) for above, (before, _) in self.ece.items()},
            "ece_after": {str(above): plain(after) for above, (_, after) in self.ece.items()},
            "ece_after_by_class": {
                str(above): {name: plain(after) for name, (_, after) in errors.items()}
                for above, errors in self.ece_by_class.items()
            },
            "thresholds_on": f"{self.data}: {photos}",
            "best_f1_conf": dict.fromkeys(CLASS_NAMES, round(self.detect.common, 6)),
            NOTE: self.detect.by_class(),
            CHAIN: {
                "classifier": self.classifier,
                "sha256": self.classifier_sha256,
                "conf": self.chain.by_class(),
            },
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        data = {"name": self.data, "photos": self.photos, "faces": dict(zip(CLASS_NAMES, self.faces, strict=True))}
        modes = {"detect": plain(self.detect), "chain": plain(self.chain)}
        return {"schema": SCHEMA, "data": data, "modes": modes, "notes": self.notes()}


def choose_thresholds(
    detector: MaskDetector,
    classifier: MaskClassifier,
    labelled: LabelledSplit,
    *,
    classifier_sha256: str = "",
    rule: FusionRule = DEFAULT_RULE,
    quiet: bool = True,
) -> Thresholds:
    """Run both models over a split, calibrate the detector, whose scores are as trained, and choose.

    Raises:
        SourceError: a photo that cannot be decoded.
        WeightsError: the detector has other classes than the classifier.
        ValueError: the detections cannot be calibrated.
    """
    check_same_classes(detector)
    found = [
        detector.detect_arrays([decode_file(photo)], conf=VAL_CONF, agnostic=True)[0]
        for photo in track(labelled.photos, label="detect", quiet=quiet)
    ]
    judged = judge(labelled.truths, found)
    calibration, after = fit_per_class(judged.take(judged.scores > FIT_CONF)), cross_fitted(judged)
    ece = {above: _errors(judged, after, above) for above in ERROR_ABOVE}
    of_class = [(name, judged.class_ids == at) for at, name in enumerate(CLASS_NAMES)]
    by_class: dict[float, dict[str, BeforeAfter]] = {
        above: {name: _errors(judged.take(mine), after[mine], above) for name, mine in of_class}
        for above in ERROR_ABOVE
    }
    found = [_calibrated(one, calibration) for one in found]
    found = [one.take(one.confidences > FIT_CONF) for one in found]
    fused = []
    for photo, one in track(list(zip(labelled.photos, found, strict=True)), label="classify", quiet=quiet):
        fused.append(_fused(one, classifier.classify_boxes(decode_file(photo), one.boxes), rule))
    faces = tuple(np.bincount(np.concatenate([truth.class_ids for truth in labelled.truths]), minlength=3).tolist())
    return Thresholds(
        data=labelled.data,
        photos=len(labelled.photos),
        faces=faces,
        detections=len(judged.right),
        classifier=classifier.info.name,
        classifier_sha256=classifier_sha256,
        calibration=calibration,
        ece=ece,
        ece_by_class=by_class,
        detect=choose(labelled.truths, found, faces),
        chain=choose(labelled.truths, fused, faces),
    )


def choose(truths: Sequence[Truth], found: Sequence[Detections], faces: Sequence[int]) -> ModeThresholds:
    """Return the thresholds for answers at hand, one a photo, of so many labelled faces of each class."""
    judged = judge(truths, found)
    classes = [at for at in range(len(CLASS_NAMES)) if faces[at]]
    common = best_threshold(judged.scores, judged, faces, classes)
    best = tuple(best_threshold(judged.scores, judged, faces, [at]) if faces[at] else common for at in range(3))
    chosen = tuple(drawn_to(common, own, count) for own, count in zip(best, faces, strict=True))
    f1 = tuple((_f1(judged, faces, at, DEFAULT_CONF), _f1(judged, faces, at, chosen[at])) for at in range(3))
    return ModeThresholds(best=best, common=common, chosen=chosen, f1=f1)


def drawn_to(common: float, own: float, faces: int) -> float:
    """Return a class's own threshold, drawn towards that of all classes by how few its faces are.

    >>> drawn_to(0.25, 0.75, 50), drawn_to(0.25, 0.75, 0), round(drawn_to(0.25, 0.75, 950), 3)
    (0.5, 0.25, 0.725)
    """
    return (faces * own + EVEN_FACES * common) / (faces + EVEN_FACES)


def _f1(judged: Judged, faces: Sequence[int], class_id: int, conf: float) -> float:
    above = (judged.class_ids == class_id) & (judged.scores > conf)
    return 2 * float(np.count_nonzero(above & judged.right)) / max(int(above.sum()) + faces[class_id], 1)


def cross_fitted(judged: Judged) -> npt.NDArray[np.float64]:
    """Return (N,) float64, each part of the photos calibrated by what the others say.

    A part is a stretch of the photos in their order, in which alike ones often follow each other.
    """
    confidences = np.empty_like(judged.scores)
    parts = judged.photos * _PARTS // (judged.photos.max() + 1)
    for part in range(_PARTS):
        out = parts == part
        fitted = fit_per_class(judged.take(~out & (judged.scores > FIT_CONF)))
        confidences[out] = fitted.apply(judged.scores[out], judged.class_ids[out])
    return confidences


def _errors(judged: Judged, after: npt.NDArray[np.float64], above: float) -> BeforeAfter:
    """Return the calibration error of the scores and of the calibrated ones, each of what exceeds ``above``."""

    def error(confidences: npt.NDArray[np.float64]) -> float | None:
        kept = confidences > above
        return expected_calibration_error(confidences[kept], judged.right[kept]) if kept.any() else None

    return error(judged.scores), error(after)


def _calibrated(found: Detections, calibration: Calibration) -> Detections:
    """Return boxes as the calibrated file scores them: the highest score may be another class's."""
    if found.scores is None:
        confidences = calibration.apply(found.confidences, found.class_ids)
        return found._replace(confidences=confidences.astype(np.float32))
    scores = calibration.apply(found.scores, np.arange(found.scores.shape[1]))
    return _replaced(found, scores.astype(np.float32))


def _fused(found: Detections, probabilities: Any, rule: FusionRule) -> Detections:
    scores = fuse(class_scores(found, len(CLASS_NAMES)), probabilities, shorter_sides(found.boxes), rule)
    return _replaced(found, scores)


def _replaced(found: Detections, scores: Any) -> Detections:
    """Return boxes with other scores: the class and the confidence are those of the highest."""
    return found._replace(scores=scores, confidences=scores.max(axis=1, initial=0), class_ids=scores.argmax(axis=1))
