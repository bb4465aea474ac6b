"""``ScaleReport``: a detector's figures by how much of the picture a face takes, and its JSON ``maskdet-stress/1``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from maskdet.detector.evaluation.report import Settings
from maskdet.detector.inference.close_ups import CloseUps
from maskdet.statistics.figures import Figure, plain

SCHEMA: Final = "maskdet-stress/1"


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """One class, or the mean of the classes, in one bucket.

    Attributes:
        faces: targets, each the middle of one picture.
        recall: share of them that are reported at the shipped threshold, box and class right.
        found: share of them that are reported there as whatever class.
        ap50: AP at IoU 0.5 of the targets; what is detected on other labelled faces counts neither way.
    """

    faces: int
    recall: Figure
    found: Figure
    ap50: Figure


@dataclass(frozen=True, slots=True)
class Bucket:
    """The pictures of one bucket.

    Attributes:
        photos: how many photos they are cut from.
        false_alarms: boxes a picture that are reported at the shipped threshold, and are neither its target with the
            class right nor on another labelled face.
        rows: class name or ``"mean"`` -> figures; the faces of the mean are all.
    """

    photos: int
    false_alarms: Figure
    rows: dict[str, ScaleRow]

    def to_dict(self) -> dict[str, Any]:
        """Return the bucket in the ``maskdet-stress/1`` schema."""
        return {"photos": self.photos, "false_alarms": plain(self.false_alarms), "classes": plain(self.rows)}


@dataclass(frozen=True, slots=True)
class ScaleReport:
    """Every figure of one stress test.

    Attributes:
        data: folder and name of the ``data.yaml``.
        split: ``"train"``, ``"val"`` or ``"test"``.
        photos: how many it has.
        conf: recall counts boxes above this confidence.
        buckets: bucket -> figures, smallest faces first.
        settings: how the detections for average precision were made, and the intervals drawn.
        model: the model's name.
        imgsz: longer side of its input in pixels.
        close_ups: how it saw each picture once more, None where it did not.
        sha256: checksum of its file, where one was given.
        command: the command line, where there was one.
    """

    data: str
    split: str
    photos: int
    conf: float
    buckets: dict[str, Bucket]
    settings: Settings
    model: str
    imgsz: int
    close_ups: CloseUps | None = None
    sha256: str | None = None
    command: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the ``maskdet-stress/1`` schema, as plain JSON types."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "model": {
                "name": self.model,
                "sha256": self.sha256,
                "imgsz": self.imgsz,
                "close_ups": None if self.close_ups is None else self.close_ups.to_dict(),
            },
            "data": {"name": self.data, "split": self.split, "photos": self.photos},
            "settings": {
                "conf": self.settings.conf,
                "iou": self.settings.iou,
                "max_detections": self.settings.max_detections,
                "interval": {"coverage": 0.95, "resamples": self.settings.resamples, "seed": self.settings.seed},
            },
            "recall_conf": self.conf,
            "buckets": plain(self.buckets),
        }
