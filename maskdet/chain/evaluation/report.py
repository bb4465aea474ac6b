"""``CompareReport``: detector, classifier and chain scored on the same photos, and its form ``maskdet-compare/1``.

How often the class of a face is right comes with 95 % bootstrap intervals over photos.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.chain.predictor import FusionRule
from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.report import ApRow
from maskdet.results import ModelInfo
from maskdet.statistics.figures import Figure, draw_photos, figure_of, plain, with_measured
from maskdet.statistics.scores import confusion_matrix, error, macro_f1


@dataclass(frozen=True, slots=True, eq=False)
class ClassDraws:
    """One way of answering: its (3, 3) matrix, rows the label; figures on all photos, then on each draw, (1 + B,).

    NaN where a draw has no face; macro-F1 is over the classes that occur as label or answer.
    """

    matrix: npt.NDArray[np.int64]
    accuracy: npt.NDArray[np.float64]
    macro_f1: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """The figures of one way of answering on one set of faces; macro-F1 is over the classes that occur."""

    faces: int
    accuracy: Figure
    macro_f1: Figure

    @classmethod
    def of(cls, draws: ClassDraws) -> ClassRow:
        """Return measured value and interval of each figure."""
        return cls(int(draws.matrix.sum()), figure_of(draws.accuracy), figure_of(draws.macro_f1))


def class_draws(
    photos: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    answers: npt.NDArray[np.int64],
    *,
    photo_count: int,
    resamples: int = 0,
    seed: int = 0,
    weights: npt.NDArray[np.int32] | None = None,
) -> ClassDraws:
    """Score the answers to N faces: of each its photo, its label and the answer, (N,) int64.

    The photos drawn depend on ``photo_count``, faceless ones included, ``resamples`` and ``seed`` alone, and are those
    of average precision: two ways of answering can be compared draw by draw. ``weights``, (B, photo_count) int32, are
    draws at hand in their place: how often each photo counts.
    """
    classes = len(CLASS_NAMES)
    cells = np.zeros((photo_count, classes**2), dtype=np.int64)
    np.add.at(cells, (photos, labels * classes + answers), 1)
    drawn = draw_photos(photo_count, resamples=resamples, seed=seed) if weights is None else weights
    matrices = (with_measured(drawn) @ cells).reshape(-1, classes, classes)
    return ClassDraws(confusion_matrix(labels, answers, classes), 1 - error(matrices), macro_f1(matrices))


SCHEMA: Final = "maskdet-compare/1"

#: What finds faces. ``shipped``: the detector with NMS for each class alone, as ``maskdet val`` scores it.
#: ``detector`` and ``chain``: the same boxes, one a face, with the detector's scores or the fused ones.
FINDERS: Final = ("shipped", "detector", "chain")

#: What names the class of the faces found: on the detector's boxes, or (``classifier_on_labels``) on the labelled ones.
NAMERS: Final = ("detector", "classifier", "classifier_on_labels", "chain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Discord:
    """Detector against chain on the faces found: those that both, one or neither got right, and McNemar's exact p.

    That is the chance of a split at least as uneven if both were equally good; faces are taken for independent.
    """

    both: int
    detector_only: int
    chain_only: int
    neither: int
    p: float


@dataclass(frozen=True, slots=True)
class Settings:
    """How it was measured: scores for AP above ``ap_conf``, boxes for the class above ``conf``, NMS at ``iou``."""

    ap_conf: float
    conf: float
    iou: float
    match_iou: float
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A model that was scored; ``sha256`` of its file where one was given."""

    info: ModelInfo
    sha256: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it in the schema."""
        return {"name": self.info.name, "sha256": self.sha256, "imgsz": self.info.imgsz}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CompareReport:
    """Every figure of one comparison.

    Attributes:
        data: folder and name of the data.
        split: the split, ``"all"`` of a VOC folder.
        repeated: label lines that repeat another and count once.
        ap: finder -> size range -> class or ``"mean"`` -> average precision.
        ap_gain: ``"shipped"`` and ``"detector"`` -> ``"ap50"`` and ``"ap50_95"`` -> class or ``"mean"`` -> what the
            chain has more, on faces of every size.
        classes: size range -> namer -> figures on the faces found; the size is that of the labelled box.
        class_gain: ``"accuracy"`` and ``"macro_f1"`` -> chain minus detector, on all faces found.
        labelled_faces: size range -> the classifier on every labelled face, found or not.
        confusion: namer -> (3, 3) int64 on all faces found, rows the label, columns the answer.
        command: the command line, where there was one.
    """

    data: str
    split: str
    photos: int
    repeated: int
    detector: Subject
    classifier: Subject
    rule: FusionRule
    settings: Settings
    ap: Mapping[str, Mapping[str, Mapping[str, ApRow]]]
    ap_gain: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    classes: Mapping[str, Mapping[str, ClassRow]]
    class_gain: Mapping[str, Figure]
    labelled_faces: Mapping[str, ClassRow]
    confusion: Mapping[str, npt.NDArray[np.int64]]
    discord: Discord
    command: str | None = None

    @property
    def faces(self) -> int:
        """Labelled faces."""
        return self.labelled_faces["all"].faces

    @property
    def found(self) -> int:
        """Labelled faces that the detector found, whatever class it gave them."""
        return self.classes["all"]["detector"].faces

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the ``maskdet-compare/1`` schema, as plain JSON types."""
        settings = self.settings
        return {
            "schema": SCHEMA,
            "command": self.command,
            "detector": self.detector.to_dict(),
            "classifier": self.classifier.to_dict(),
            "rule": {"weight": self.rule.weight, "least_side": self.rule.least_side, "floor": self.rule.floor},
            "data": {
                "name": self.data,
                "split": self.split,
                "photos": self.photos,
                "faces": self.faces,
                "repeated_labels": self.repeated,
            },
            "settings": {
                "ap_conf": settings.ap_conf,
                "conf": settings.conf,
                "iou": settings.iou,
                "match_iou": settings.match_iou,
                "interval": {"coverage": 0.95, "resamples": settings.resamples, "seed": settings.seed},
            },
            "ap": plain(self.ap),
            "ap_gain": plain(self.ap_gain),
            "classes": plain(self.classes),
            "class_gain": plain(self.class_gain),
            "classifier_on_every_label": plain(self.labelled_faces),
            "confusion": {
                "labels": list(CLASS_NAMES),
                "rows": "labelled",
                "columns": "answered",
                "matrices": {name: matrix.tolist() for name, matrix in self.confusion.items()},
            },
            "mcnemar": {
                "both": self.discord.both,
                "detector_only": self.discord.detector_only,
                "chain_only": self.discord.chain_only,
                "neither": self.discord.neither,
                "p": plain(self.discord.p),
            },
        }
