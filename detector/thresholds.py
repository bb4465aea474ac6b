"""``--conf f1``: the confidence of each class from which a face is reported, where precision and recall balance best.

The thresholds stand in the model's file with its calibration, chosen by ``tools/calibrate_detector.py`` on photos that
the detectors had not seen; what they gain over one threshold for all is in ``docs/accuracy.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.calibration_note import read_calibration
from maskdet.errors import WeightsError

#: What stands for them where a threshold is asked for.
BEST_F1: Final = "f1"

#: A confidence, or ``"f1"``.
Threshold = float | Literal["f1"]

#: Where a calibration's notes hold them.
NOTE: Final = "best_f1_conf_per_class"


def class_thresholds(
    conf: Threshold, metadata: Mapping[str, str], path: Path, names: Sequence[str] = CLASS_NAMES
) -> npt.NDArray[np.float32]:
    """Return (C,) float32, the confidence that a box of each class must exceed.

    Args:
        conf: one for all classes, or ``"f1"``.
        metadata: what the model's file carries.
        path: that file, for messages.
        names: the model's classes.

    Raises:
        WeightsError: the file's thresholds cannot be read, or are none of its classes'.
        ValueError: a number outside 0 to 1, another word, or a file without thresholds.

    >>> class_thresholds(0.25, {}, Path("a.onnx")).tolist()
    [0.25, 0.25, 0.25]
    """
    if conf == BEST_F1:
        try:
            noted = (read_calibration(metadata) or {}).get(NOTE)
        except ValueError as error:
            raise WeightsError(path, f"not a mask detector: {error}") from error
        if noted is None:
            raise ValueError(f"{path} holds no thresholds of its own: give conf a number from 0 to 1")
        values = [noted.get(name) for name in names] if isinstance(noted, dict) else [None]
        if not all(isinstance(one, (int, float)) and not isinstance(one, bool) and 0 <= one <= 1 for one in values):
            raise WeightsError(path, f"not a mask detector: its {NOTE} is not one number from 0 to 1 a class")
        return np.array(values, np.float32)
    if isinstance(conf, str) or not 0 <= conf <= 1:
        raise ValueError(f"conf must be between 0 and 1, or {BEST_F1!r}, not {conf}")
    return np.full(len(names), conf, np.float32)
