"""Calibration over grouped folds, cross-fitted: each fold's detections by what the other folds' detections say.

Also the confidence threshold with the best F1, chosen in the same way, for all classes together and for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.calibration import (
    ERROR_ABOVE,
    FIT_CONF,
    Judged,
    best_threshold,
    calibration_errors,
    fit_calibration,
    fit_per_class,
    judge,
)
from maskdet.detector.evaluation.folds.cross_validation import draw_folds
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.operating_point import ROWS, PhotoCounts, count_photos
from maskdet.detector.inference.options import DEFAULT_CONF
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.thresholds import Calibration
from maskdet.statistics.calibration_error import BINS, adaptive_calibration_error
from maskdet.statistics.figures import Figure, figure_of, plain, with_measured

SCHEMA: Final = "maskdet-calibration-folds/1"

#: What was tried: nothing, a temperature, a temperature and a bias, both for each class.
METHODS: Final = ("none", "temperature", "temperature_and_bias", "per_class")


@dataclass(frozen=True, slots=True, eq=False)
class MethodScores:
    """One way to calibrate.

    Attributes:
        folds: what was done to each fold's scores, fitted on the other folds.
        final: fitted on all folds, for a detector that is trained on everything.
        confidences: (N,) float64, every detection's, fold by fold, by ``folds``.
        errors: threshold -> expected calibration error of all folds' detections together.
        adaptive: threshold -> the same with bins of equal counts.
        by_class: threshold -> class -> expected calibration error of its detections alone.
    """

    folds: tuple[Calibration, ...]
    final: Calibration
    confidences: npt.NDArray[np.float64]
    errors: Mapping[float, Figure]
    adaptive: Mapping[float, float]
    counts: Mapping[float, int]
    by_class: Mapping[float, Mapping[str, Figure]]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        return {
            "final": plain(self.final),
            "folds": plain(self.folds),
            "above": {
                str(threshold): {
                    "detections": self.counts[threshold],
                    "ece": plain(self.errors[threshold]),
                    "adaptive_ece": plain(self.adaptive[threshold]),
                    "ece_by_class": plain(self.by_class[threshold]),
                }
                for threshold in self.errors
            },
        }


@dataclass(frozen=True, slots=True)
class ThresholdScores:
    """One way to choose the confidence threshold, on calibrated confidences.

    Attributes:
        folds: that of each fold and class, chosen on the other folds.
        figures: ``"precision"``, ``"recall"`` and ``"f1"`` -> a row of ``ROWS`` -> of all folds' detections together.
        gain: a row of ``ROWS`` -> F1 beside the shipped threshold, drawn in pairs.
    """

    final: tuple[float, ...]
    folds: tuple[tuple[float, ...], ...]
    figures: Mapping[str, Mapping[str, Figure]]
    gain: Mapping[str, Figure]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        names = CLASS_NAMES
        return {
            "final": dict(zip(names, map(plain, self.final), strict=True)),
            "folds": [dict(zip(names, map(plain, one), strict=True)) for one in self.folds],
            "figures": plain(self.figures),
            "f1_gain": plain(self.gain),
        }


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationReport:
    """Every figure.

    Attributes:
        judged: all folds' detections; their photos are numbered fold by fold.
        methods: a word of ``METHODS`` -> its figures.
        thresholds: ``"shipped"``, ``"one"``, ``"per_class"`` -> its figures, with confidences by ``chosen``.
    """

    judged: Judged
    methods: Mapping[str, MethodScores]
    thresholds: Mapping[str, ThresholdScores]
    chosen: str

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        return {
            "schema": SCHEMA,
            "settings": {"match_iou": 0.5, "bins": BINS, "fitted_above": FIT_CONF, "shipped_conf": DEFAULT_CONF},
            "chosen": self.chosen,
            "methods": plain(self.methods),
            "thresholds": plain(self.thresholds),
        }

    def notes(self, data: str) -> dict[str, Any]:
        """Return what a calibrated file says beside temperature and bias; ``data`` names the folds."""
        before, after = (self.methods[name].errors for name in ("none", self.chosen))
        return {
            "fitted_on": f"{data}: {len(self.judged.right)} detections of detectors that had not seen the photos",
            "ece_before": {str(t): plain(before[t].value) for t in ERROR_ABOVE},
            "ece_after": {str(t): plain(after[t].value) for t in ERROR_ABOVE},
            "ece_after_by_class": {
                str(t): {name: plain(one.value) for name, one in self.methods[self.chosen].by_class[t].items()}
                for t in ERROR_ABOVE
            },
            "best_f1_conf": self.thresholds["one"].to_dict()["final"],
            "best_f1_conf_per_class": self.thresholds["per_class"].to_dict()["final"],
        }


def calibrate_folds(
    folds: FoldSet,
    reported: Sequence[Sequence[Detections]],
    *,
    chosen: str = "per_class",
    resamples: int = 1000,
    seed: int = 0,
) -> CalibrationReport:
    """Fit, and measure what was fitted on the folds that it was not fitted on.

    Args:
        reported: for each fold one a photo, the best class of a box, from a low threshold on.
        resamples: draws behind each interval, 0 for none.
        seed: where the draws start.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
        ValueError: a fit has no answer, or another number of detections than of photos.
    """
    judged = [judge(test.truths, found) for test, found in zip(folds.tests, reported, strict=True)]
    weights = draw_folds(folds, resamples=resamples, seed=seed)
    starts = np.cumsum([0, *(len(test.photos) for test in folds.tests)])
    whole = _join(
        [
            Judged(one.photos + start, one.class_ids, one.scores, one.right)
            for one, start in zip(judged, starts, strict=False)
        ]
    )
    drawn = np.concatenate(weights, axis=1)
    methods = {name: _method(name, judged, whole, drawn) for name in METHODS}
    calibrations = methods[chosen]
    counts = _Counter(folds, reported, calibrations.folds)
    ways = {
        "shipped": [(DEFAULT_CONF,) * len(CLASS_NAMES)] * (len(judged) + 1),
        "one": [_choose(folds, judged, calibrations, out, together=True) for out in [*range(len(judged)), None]],
        "per_class": [_choose(folds, judged, calibrations, out, together=False) for out in [*range(len(judged)), None]],
    }
    figures = {name: counts.figures(limits[:-1], drawn) for name, limits in ways.items()}
    thresholds = {
        name: ThresholdScores(
            final=limits[-1],
            folds=tuple(limits[:-1]),
            figures={label: _rows(values) for label, values in figures[name].items()},
            gain=_rows(figures[name]["f1"] - figures["shipped"]["f1"]),
        )
        for name, limits in ways.items()
    }
    return CalibrationReport(whole, methods, thresholds, chosen)


def _join(parts: Sequence[Judged]) -> Judged:
    return Judged(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("photos", "class_ids", "scores", "right")
        )
    )


def _method(name: str, judged: Sequence[Judged], whole: Judged, drawn: npt.NDArray[np.int32]) -> MethodScores:
    def fit(parts: Sequence[Judged]) -> Calibration:
        if name == "none":
            return Calibration()
        joined = _join(parts)
        used = joined.scores > FIT_CONF
        if name == "per_class":
            return fit_per_class(joined.take(used))
        return fit_calibration(joined.scores[used], joined.right[used], bias=name == "temperature_and_bias")

    fitted = tuple(fit([*judged[:at], *judged[at + 1 :]]) for at in range(len(judged)))
    confidences = np.concatenate(
        [one.apply(part.scores, part.class_ids) for one, part in zip(fitted, judged, strict=True)]
    )

    by_class = calibration_errors(whole, drawn, confidences)
    errors, adaptive, counts = {}, {}, {}
    for threshold in ERROR_ABOVE:
        above = confidences > threshold
        errors[threshold] = by_class[threshold].pop("all")
        adaptive[threshold] = adaptive_calibration_error(confidences[above], whole.right[above])
        counts[threshold] = int(above.sum())
    return MethodScores(fitted, fit(judged), confidences, errors, adaptive, counts, by_class)


def _choose(
    folds: FoldSet, judged: Sequence[Judged], method: MethodScores, out: int | None, *, together: bool
) -> tuple[float, ...]:
    """Return the threshold of each class with the best F1 on all folds but one, by what calibrates each of them."""
    used = [at for at in range(len(judged)) if at != out]
    joined = _join([judged[at] for at in used])
    confidences = np.concatenate([method.folds[at].apply(judged[at].scores, judged[at].class_ids) for at in used])
    labels = np.concatenate([truth.class_ids for at in used for truth in folds.tests[at].truths])
    faces = np.bincount(labels, minlength=len(CLASS_NAMES)).tolist()
    classes = range(len(CLASS_NAMES))
    if together:
        return (best_threshold(confidences, joined, faces, [one for one in classes if faces[one]]),) * len(CLASS_NAMES)
    return tuple(best_threshold(confidences, joined, faces, [one]) for one in classes)


class _Counter:
    """Counts what is right above each fold's own thresholds."""

    def __init__(
        self, folds: FoldSet, reported: Sequence[Sequence[Detections]], calibrations: Sequence[Calibration]
    ) -> None:
        self._folds, self._reported, self._calibrations = folds, reported, calibrations

    def figures(
        self, limits: Sequence[tuple[float, ...]], drawn: npt.NDArray[np.int32]
    ) -> dict[str, npt.NDArray[np.float64]]:
        """Return (1 + B, 5) float64 precision, recall and F1 of all folds' photos together."""
        parts = [
            count_photos(
                test.truths, found, conf=[calibration.undo(limit, at) for at, limit in enumerate(limit_of_fold)]
            )
            for test, found, calibration, limit_of_fold in zip(
                self._folds.tests, self._reported, self._calibrations, limits, strict=True
            )
        ]
        whole = PhotoCounts(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("faces", "right", "reported"))
        )
        figures = whole.figures(with_measured(drawn))
        return {**figures, "recall": figures["recall"][:, :, 0]}


def _rows(values: npt.NDArray[np.float64]) -> dict[str, Figure]:
    return {row: figure_of(values[:, at]) for at, row in enumerate(ROWS)}
