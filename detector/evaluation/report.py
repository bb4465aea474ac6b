"""``ValReport``: every figure of one evaluation, and its JSON form ``maskdet-val/1``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import SIZES
from maskdet.detector.evaluation.operating_point import OperatingPoint
from maskdet.statistics.figures import MEAN, Figure, plain

if TYPE_CHECKING:
    from maskdet.detector.evaluation.near_training import NearTraining

SCHEMA: Final = "maskdet-val/1"

#: Rows and columns beside the classes, here and in a cross-validation.
OTHER_ROWS: Final = (MEAN, "all", "background")


def row_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return class names as rows are called: no two alike, and none like a row that is no class.

    >>> row_names(["helmet", "all", "helmet"])
    ('helmet', 'all (1)', 'helmet (2)')
    """
    taken = {*OTHER_ROWS}
    rows = []
    for index, name in enumerate(names):
        rows.append(f"{name} ({index})" if name in taken else name)
        taken |= {name, rows[-1]}
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class ApRow:
    """Average precision of one class, or of their mean, in one size range."""

    faces: int
    ap50: Figure
    ap50_95: Figure


@dataclass(frozen=True, slots=True)
class Settings:
    """How the detections were made and the intervals drawn; the first three are None for given predictions."""

    conf: float | None
    iou: float | None
    max_detections: int | None
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class ValReport:
    """Every figure of one evaluation.

    Attributes:
        ap: size range (a key of ``SIZES``) -> class name or ``"mean"`` -> average precision.
        curves: (C, 101) float64, precision of each class at recalls 0, 0.01 … 1 and IoU 0.5; NaN where no face is
            labelled. Drawn, not part of the JSON.
        model: the model's name, None for given predictions.
        imgsz: longer side of its input in pixels, None likewise.
        sha256: checksum of its file, where one was given.
        command: the command line, where there was one.
        repeated: label lines left out because another line of the file says the same.
        as_reported: a row of ``ap["all"]`` -> the same of what ``maskdet detect`` reports: one class a box, from
            confidence 0.001 as calibrated.
        calibration: confidence -> ``"all"`` or class -> expected calibration error of what ``maskdet detect`` reports
            above it; empty for given predictions and other classes.
        near_training: the figures beside themselves, without photos that resemble trained ones, where asked for.
    """

    data: str
    split: str
    photos: int
    ap: dict[str, dict[str, ApRow]]
    as_reported: dict[str, ApRow]
    point: OperatingPoint
    curves: npt.NDArray[np.float64] = field(repr=False)
    settings: Settings
    model: str | None = None
    imgsz: int | None = None
    sha256: str | None = None
    command: str | None = None
    repeated: int = 0
    names: tuple[str, ...] = CLASS_NAMES
    calibration: dict[float, dict[str, Figure]] = field(default_factory=dict)
    near_training: NearTraining | None = None

    @property
    def map50(self) -> float:
        """Mean over the classes of AP at IoU 0.5, faces of every size."""
        return self._headline("ap50")

    @property
    def map50_95(self) -> float:
        """Mean over the classes of AP at IoU 0.5 to 0.95, faces of every size."""
        return self._headline("ap50_95")

    def _headline(self, figure: str) -> float:
        value: float | None = getattr(self.ap["all"][MEAN], figure).value
        return float("nan") if value is None else value

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the ``maskdet-val/1`` schema, as plain JSON types."""
        point = self.point
        return {
            "schema": SCHEMA,
            "command": self.command,
            "model": {"name": self.model, "sha256": self.sha256, "imgsz": self.imgsz},
            "data": {
                "name": self.data,
                "split": self.split,
                "photos": self.photos,
                "faces": {name: self.ap["all"][name].faces for name in self.names},
                "repeated_labels": self.repeated,
            },
            "settings": {
                "conf": self.settings.conf,
                "iou": self.settings.iou,
                "max_detections": self.settings.max_detections,
                "interval": {"coverage": 0.95, "resamples": self.settings.resamples, "seed": self.settings.seed},
            },
            "map50": plain(self.ap["all"][MEAN].ap50.value),
            "map50_95": plain(self.ap["all"][MEAN].ap50_95.value),
            "ap": {size: plain(self.ap[size]) for size in SIZES},
            "ap_as_reported": plain(self.as_reported),
            "operating_point": {
                "conf": point.conf,
                "iou": point.iou,
                "classes": {
                    name: {
                        "precision": plain(counts.precision),
                        "recall": plain(counts.recall),
                        "f1": plain(counts.f1),
                        "right": counts.right,
                        "wrong": counts.wrong,
                        "missed": counts.missed,
                    }
                    for name, counts in zip(self.names, point.classes, strict=True)
                },
                MEAN: {figure: plain(point.mean(figure)) for figure in ("precision", "recall", "f1")},
            },
            "confusion": {
                "labels": [*self.names, "background"],
                "rows": "labelled",
                "columns": "detected",
                "matrix": point.confusion.tolist(),
            },
            "calibration_error": {str(above): plain(errors) for above, errors in self.calibration.items()},
            **({} if self.near_training is None else {"near_training": self.near_training.to_dict()}),
        }
