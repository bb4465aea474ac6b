"""``FoldReport``: a cross-validation with and without the selfie series, and its JSON form ``maskdet-folds/1``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from maskdet.detector.evaluation.evaluate import RESAMPLES, SEED, VAL_CONF, detect_split
from maskdet.detector.evaluation.folds.cross_validation import FoldScores, cross_validate
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.report import Settings
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.postprocess import MAX_DETECTIONS, Detections
from maskdet.errors import WeightsError
from maskdet.statistics.figures import plain

SCHEMA: Final = "maskdet-folds/1"


@dataclass(frozen=True, slots=True)
class FoldModel:
    """One fold's model: its name, the checksum of its file, and the longer side of its input in pixels."""

    name: str
    sha256: str
    imgsz: int


@dataclass(frozen=True, slots=True, eq=False)
class FoldReport:
    """Every figure of one cross-validation.

    Attributes:
        sets: ``"all"``, and ``"without_series"`` where the selfie series is in the data -> its figures.
        leaks: groups of alike photos that lie in more than one fold.
        repeated: label lines that repeat another and count once.
        conf: precision, recall and F1 count what is above it.
    """

    data: str
    models: tuple[FoldModel, ...]
    sets: Mapping[str, FoldScores]
    series: int
    leaks: int
    repeated: int
    conf: float
    settings: Settings
    command: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the ``maskdet-folds/1`` schema, as plain JSON types."""
        settings = self.settings
        return {
            "schema": SCHEMA,
            "command": self.command,
            "data": {
                "name": self.data,
                "folds": len(self.models),
                "series_photos": self.series,
                "groups_in_several_folds": self.leaks,
                "repeated_labels": self.repeated,
            },
            "models": plain(self.models),
            "settings": {
                "ap_conf": settings.conf,
                "iou": settings.iou,
                "max_detections": settings.max_detections,
                "conf": self.conf,
                "match_iou": 0.5,
                "interval": {
                    "coverage": 0.95,
                    "resamples": settings.resamples,
                    "seed": settings.seed,
                    "drawn": "groups of alike photos, within each fold",
                },
            },
            "sets": plain(self.sets),
        }


def score_folds(
    detectors: Iterable[tuple[MaskDetector, FoldModel]],
    folds: FoldSet,
    *,
    conf: float = VAL_CONF,
    iou: float = DEFAULT_IOU,
    batch: int = 16,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    quiet: bool = True,
) -> FoldReport:
    """Run each fold's detector over the photos that it has not seen, and score all.

    Args:
        detectors: of fold 1 … K, each asked for when its turn comes.
        resamples: draws behind each interval, 0 for none.
        seed: where the draws start.

    Raises:
        SourceError: a photo that cannot be decoded.
        WeightsError: a detector says that it was trained on another fold, or has none of the labelled classes.
        MissingExtraError: faster-coco-eval is not installed.
    """
    found: list[list[Detections]] = []
    reported: list[list[Detections]] = []
    models: list[FoldModel] = []
    for number, (detector, model) in enumerate(detectors, 1):
        check_unseen(detector, number)
        if number == 1:
            folds = folds.spelled_as(detector.names)
        every, best = detect_split(detector, folds.tests[number - 1], conf=conf, iou=iou, batch=batch, quiet=quiet)
        found.append(every)
        reported.append(best)
        models.append(model)
    sets = {
        name: cross_validate(
            part, _kept(found, keep), _kept(reported, keep), conf=DEFAULT_CONF, resamples=resamples, seed=seed
        )
        for name, part, keep in parts_of(folds)
    }
    return FoldReport(
        data=folds.data,
        models=tuple(models),
        sets=sets,
        series=sum(int(series.sum()) for series in folds.series),
        leaks=folds.leaks,
        repeated=sum(test.repeated for test in folds.tests),
        conf=DEFAULT_CONF,
        settings=Settings(conf, iou, MAX_DETECTIONS, resamples, seed),
    )


def parts_of(folds: FoldSet) -> Iterator[tuple[str, FoldSet, list[Sequence[bool]]]]:
    """Yield what is scored: name, folds, and for each fold which of its photos take part.

    All photos, and those without the selfie series where it is there and leaves faces in every fold.
    """
    yield "all", folds, [[True] * len(series) for series in folds.series]
    if any(series.any() for series in folds.series):
        rest = [~series for series in folds.series]
        yield "without_series", folds.take(rest), [mask.tolist() for mask in rest]


def _kept(answers: Sequence[Sequence[Detections]], keep: Sequence[Sequence[bool]]) -> list[list[Detections]]:
    return [
        [one for one, kept in zip(fold, mask, strict=True) if kept] for fold, mask in zip(answers, keep, strict=True)
    ]


def check_unseen(detector: MaskDetector, number: int) -> None:
    """Refuse a detector whose file says that it was trained on another fold.

    Raises:
        WeightsError: it does.
    """
    trained = json.loads(detector.metadata.get("maskdet_training", "{}")).get("data") or ""
    name = Path(str(trained)).name
    if name.endswith((".yaml", ".yml")) and Path(name).stem != f"fold{number}":
        raise WeightsError(
            detector.info.name, f"was trained on {trained}: it has seen the photos that fold {number} tests on"
        )
