"""``FoldReport``: a cross-validation with and without the selfie series, and its JSON form ``maskdet-folds/1``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from maskdet.datasets.grouping.folds import SERIES
from maskdet.detector.evaluation.evaluate import RESAMPLES, SEED, VAL_CONF, detect_split
from maskdet.detector.evaluation.folds.cross_validation import FoldScores, cross_validate
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.folds.unseen import check_unseen
from maskdet.detector.evaluation.report import Settings
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.postprocess import MAX_DETECTIONS, Detections
from maskdet.statistics.figures import plain

SCHEMA: Final = "maskdet-folds/1"

#: How the sets of photos are called in headings.
SET_TITLES: Final = {
    "all": "all photos",
    "without_series": "without the selfie series",
    "series": "the selfie series",
}


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
        parts: ``fold1`` … ``foldK``, and perhaps ``series``.
        sets: ``"all"``; where the selfie series is in the data ``"without_series"``; where it is a part of its own
            ``"series"`` -> its figures.
        leaks: groups of alike photos that lie in more than one fold.
        repeated: label lines that repeat another and count once.
        conf: precision, recall and F1 count what is above it.
    """

    data: str
    parts: tuple[str, ...]
    models: tuple[FoldModel, ...]
    sets: Mapping[str, FoldScores]
    series: int
    leaks: int
    repeated: int
    conf: float
    settings: Settings
    command: str | None = None

    @property
    def folds(self) -> int:
        """How many folds there are beside the series."""
        return sum(part != SERIES for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in the ``maskdet-folds/1`` schema, as plain JSON types."""
        settings = self.settings
        return {
            "schema": SCHEMA,
            "command": self.command,
            "data": {
                "name": self.data,
                "folds": self.folds,
                "parts": list(self.parts),
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
        WeightsError: a detector has seen photos of its fold, does not say what it has seen, or has none of the
            labelled classes.
        MissingExtraError: faster-coco-eval is not installed.
    """
    found: list[list[Detections]] = []
    reported: list[list[Detections]] = []
    models: list[FoldModel] = []
    for at, (detector, model) in enumerate(detectors):
        check_unseen(detector.metadata, model.name, folds.tests[at].photos, folds.names[at])
        if not at:
            folds = folds.spelled_as(detector.names)
        every, best = detect_split(detector, folds.tests[at], conf=conf, iou=iou, batch=batch, quiet=quiet)
        found.append(every)
        reported.append(best)
        models.append(model)
    settings = Settings(conf, iou, MAX_DETECTIONS, resamples, seed)
    return score_found(folds, found, reported, tuple(models), settings)


def score_found(
    folds: FoldSet,
    found: Sequence[Sequence[Detections]],
    reported: Sequence[Sequence[Detections]],
    models: tuple[FoldModel, ...],
    settings: Settings,
) -> FoldReport:
    """Score detections at hand, for each part one a photo; see ``score_folds`` and ``cross_validate``.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
    """
    drawn = {"resamples": settings.resamples, "seed": settings.seed}
    return FoldReport(
        data=folds.data,
        parts=folds.names,
        models=models,
        sets={
            name: cross_validate(part, kept(found, keep), kept(reported, keep), conf=DEFAULT_CONF, **drawn)
            for name, part, keep in parts_of(folds)
        },
        series=sum(int(series.sum()) for series in folds.series),
        leaks=folds.leaks,
        repeated=sum(test.repeated for test in folds.tests),
        conf=DEFAULT_CONF,
        settings=settings,
    )


def parts_of(folds: FoldSet) -> Iterator[tuple[str, FoldSet, list[list[bool]]]]:
    """Yield what is scored: name, folds, and for each fold which of its photos take part.

    All photos; those without the selfie series where it is there and leaves faces in every fold; and the series where
    it is a part of its own.
    """
    yield "all", folds, [[True] * len(series) for series in folds.series]
    if not any(series.any() for series in folds.series):
        return
    chosen = {"without_series": [~series for series in folds.series]}
    if folds.averaged != list(range(len(folds.tests))):
        chosen["series"] = [series & (name == SERIES) for name, series in zip(folds.names, folds.series, strict=True)]
    for name, masks in chosen.items():
        if any(mask.any() for mask in masks):
            yield name, folds.take(masks), [mask.tolist() for mask in masks]


T = TypeVar("T")


def kept(answers: Sequence[Sequence[T]], keep: Sequence[Sequence[bool]]) -> list[list[T]]:
    """Return the answers of the photos that take part, without the parts of which none does."""
    return [
        [one for one, wanted in zip(part, mask, strict=True) if wanted]
        for part, mask in zip(answers, keep, strict=True)
        if any(mask)
    ]
