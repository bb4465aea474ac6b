"""Thresholds and calibration as a detector's file holds them, read without what wrote them.

A model's own thresholds are the confidence of each class from which a face is reported, where precision and recall
balance best: one set for the detector alone, one for the chain with a classifier that is named. They stand in the
model's file with its calibration, chosen by ``maskdet val --calibrate`` on photos that the models had not seen. Every
threshold of every command comes from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.inference.options import DEFAULT_CONF
from maskdet.errors import WeightsError

#: Key of the file's metadata, and the form of what stands there.
KEY: Final = "maskdet_calibration"
SCHEMA: Final = "maskdet-calibration/1"


def read_calibration(metadata: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what a file's metadata says of its calibration, None where it has none.

    Raises:
        ValueError: it is no JSON object.
    """
    text = metadata.get(KEY)
    if text is None:
        return None
    try:
        note = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its {KEY} is no JSON") from error
    if not isinstance(note, dict):
        raise ValueError(f"its {KEY} is no JSON object")
    return note


#: What stands for them where a threshold is asked for.
BEST_F1: Final = "f1"

#: A confidence; ``"f1"`` for the model's own, which it must have; None for these where it has some, else the default.
Threshold = float | Literal["f1"] | None

#: Where a calibration's notes hold those of the detector alone, and what holds those of the chain.
NOTE: Final = "best_f1_conf_per_class"
CHAIN: Final = "chain"


def class_thresholds(
    conf: Threshold, metadata: Mapping[str, str], path: Path, names: Sequence[str] = CLASS_NAMES
) -> npt.NDArray[np.float32]:
    """Return (C,) float32, the confidence that a box of each class must exceed.

    Args:
        conf: one for all classes, ``"f1"``, or None.

    Raises:
        WeightsError: the file's thresholds cannot be read, or are none of its classes'.
        ValueError: a number outside 0 to 1, another word, or ``"f1"`` of a file without thresholds.

    >>> class_thresholds(0.5, {}, Path("a.onnx")).tolist(), class_thresholds(None, {}, Path("a.onnx")).tolist()
    ([0.5, 0.5, 0.5], [0.25, 0.25, 0.25])
    """
    if conf is None or conf == BEST_F1:
        own = own_thresholds(metadata, path, names)
        if own is not None:
            return own
        if conf == BEST_F1:
            raise ValueError(f"{path} holds no thresholds of its own: give conf a number from 0 to 1")
        conf = DEFAULT_CONF
    if isinstance(conf, str) or not 0 <= conf <= 1:
        raise ValueError(f"conf must be between 0 and 1, or {BEST_F1!r}, not {conf}")
    return np.full(len(names), conf, np.float32)


def own_thresholds(
    metadata: Mapping[str, str], path: Path, names: Sequence[str] = CLASS_NAMES
) -> npt.NDArray[np.float32] | None:
    """Return (C,) float32, the thresholds of the detector alone that stand in its file, None where there are none.

    Raises:
        WeightsError: they cannot be read, or are none of its classes'.
    """
    noted = _notes(metadata, path).get(NOTE)
    return None if noted is None else _of_classes(noted, NOTE, path, names)


class ChainLimits(NamedTuple):
    """From where on the chain reports a face.

    Attributes:
        least: the detector's confidence that it must exceed, None for what the detector reports alone.
        fused: (3,) float32, the fused confidence that it must exceed, by class; None for every face that was found.
        own: ``fused`` are the file's own thresholds.
    """

    least: float | None
    fused: npt.NDArray[np.float32] | None
    own: bool = False


def chain_thresholds(conf: Threshold, metadata: Mapping[str, str], path: Path, classifier: str) -> ChainLimits:
    """Return the chain's thresholds: the file's own, where it has some for this classifier and no number is asked for.

    Without, the fused confidence must exceed the number, 0.25 where none is asked for; with the detector's own
    thresholds, which say nothing of a fused one, every face that it found is reported.

    Args:
        classifier: its name.

    Raises:
        WeightsError: the file's thresholds cannot be read.

    >>> said = {CHAIN: {"classifier": "c", "conf": dict.fromkeys(CLASS_NAMES, 0.5)}}
    >>> chain_thresholds(None, {KEY: json.dumps(said)}, Path("a.onnx"), "c").least
    0.5
    >>> chain_thresholds(None, {KEY: json.dumps(said)}, Path("a.onnx"), "another").fused.tolist()
    [0.25, 0.25, 0.25]
    """
    if conf is None or conf == BEST_F1:
        noted = _notes(metadata, path).get(CHAIN)
        if isinstance(noted, dict) and noted.get("classifier") == classifier:
            fused = _of_classes(noted.get("conf"), CHAIN, path, CLASS_NAMES)
            return ChainLimits(float(fused.min()), fused, own=True)  # a fused confidence never exceeds the detector's
    if conf == BEST_F1:
        return ChainLimits(None, None)
    number = DEFAULT_CONF if conf is None else conf
    return ChainLimits(number, np.full(len(CLASS_NAMES), number, np.float32))


def _notes(metadata: Mapping[str, str], path: Path) -> dict[str, Any]:
    try:
        return read_calibration(metadata) or {}
    except ValueError as error:
        raise WeightsError(path, f"not a mask detector: {error}") from error


def _of_classes(noted: Any, key: str, path: Path, names: Sequence[str]) -> npt.NDArray[np.float32]:
    values = [noted.get(name) for name in names] if isinstance(noted, dict) else [None]
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) and 0 <= one <= 1 for one in values):
        raise WeightsError(path, f"not a mask detector: its {key} is not one number from 0 to 1 a class")
    return np.array(values, np.float32)


#: Scores nearer to 0 or 1 have no logit that float32 tells apart.
_LEAST: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is done to the logit of a score, one number for all classes or one a class; the defaults change nothing."""

    temperature: float | tuple[float, ...] = 1.0
    bias: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: a temperature is not positive, a value not finite, or there is one a class of one of the two.
        """
        temperatures, biases = np.asarray(self.temperature), np.asarray(self.bias)
        if not (np.isfinite(temperatures).all() and np.isfinite(biases).all() and (temperatures > 0).all()):
            raise ValueError(f"a temperature must be above 0 and a bias finite, not {self.temperature}, {self.bias}")
        if temperatures.shape != biases.shape:
            raise ValueError(f"one temperature and one bias a class are needed, not {self.temperature}, {self.bias}")

    def apply(
        self, scores: npt.NDArray[np.floating[Any]], class_ids: npt.NDArray[np.int64] | int = 0
    ) -> npt.NDArray[np.float64]:
        """Return calibrated scores of the same shape; ``class_ids``, theirs, count where there is a number a class.

        >>> Calibration(0.5).apply(np.array([0.2, 0.5, 0.75])).round(4).tolist()
        [0.0588, 0.5, 0.9]
        >>> Calibration((0.5, 1.0), (0.0, 0.0)).apply(np.array([0.75, 0.75]), np.array([0, 1])).round(4).tolist()
        [0.9, 0.75]
        """
        temperature, bias = self._of(class_ids)
        calibrated: npt.NDArray[np.float64] = 1 / (1 + np.exp(-(logit(scores) / temperature + bias)))
        return calibrated

    def undo(self, confidence: float, class_id: int = 0) -> float:
        """Return the score that becomes ``confidence``, which lies between 0 and 1.

        >>> round(Calibration(0.5).undo(0.9), 6)
        0.75
        """
        temperature, bias = self._of(class_id)
        return float(1 / (1 + np.exp(-(logit(np.array(confidence)) - bias) * temperature)))

    def _of(self, class_ids: npt.NDArray[np.int64] | int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        temperature, bias = np.asarray(self.temperature), np.asarray(self.bias)
        return (temperature[class_ids], bias[class_ids]) if temperature.ndim else (temperature, bias)


def logit(scores: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Return log(s / (1 - s)), float64 of the same shape, scores at 0 and 1 taken as just beside."""
    exact = np.clip(scores.astype(np.float64), _LEAST, 1 - _LEAST)
    logits: npt.NDArray[np.float64] = np.log(exact) - np.log1p(-exact)
    return logits


def calibration_of(metadata: Mapping[str, str]) -> Calibration | None:
    """Return a file's calibration, None where it has none."""
    said = read_calibration(metadata)
    if said is None:
        return None
    values = (said["temperature"], said["bias"])
    return Calibration(*(tuple(one) if isinstance(one, list) else one for one in values))


def calibrated_confs(metadata: Mapping[str, str], conf: float, classes: int) -> npt.NDArray[np.float64]:
    """Return (C,) float64: what a threshold on scores as trained becomes for each class with a file's calibration.

    >>> said = '{"schema": "maskdet-calibration/1", "temperature": [0.5, 1.0], "bias": [0.0, 0.0]}'
    >>> calibrated_confs({KEY: said}, 0.75, 2).round(4).tolist()
    [0.9, 0.75]
    """
    calibration = calibration_of(metadata)
    scores = np.full(classes, conf, np.float64)
    return scores if calibration is None else calibration.apply(scores, np.arange(classes))


def calibrated_conf(metadata: Mapping[str, str], conf: float) -> float:
    """Return what a threshold on scores as trained becomes with a file's calibration, of several classes the lowest.

    >>> said = '{"schema": "maskdet-calibration/1", "temperature": 0.5, "bias": 0.0}'
    >>> round(calibrated_conf({KEY: said}, 0.75), 6), calibrated_conf({}, 0.75)
    (0.9, 0.75)
    """
    calibration = calibration_of(metadata)
    classes = 1 if calibration is None else np.size(calibration.temperature)
    return float(calibrated_confs(metadata, conf, classes).min())
