"""Cross-validation: K detectors, each scored on the fold that it has not seen; mean, spread and intervals.

Every figure is given three ways: of each fold; the mean of the folds with their standard deviation and a 95 % interval;
and pooled, all detections on all photos scored as one set, which compares confidences of different detectors. The
selfie series, where it is a part of its own, is pooled and takes no part in the mean. Intervals draw groups of alike
photos within each fold: how far a figure would move with other photos of the same kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.datasets.grouping.folds import SERIES
from maskdet.detector.evaluation.average_precision import ap_rows_of, by_iou, by_size
from maskdet.detector.evaluation.coco import coco_scores
from maskdet.detector.evaluation.evaluate import ap_of_weights, count_faces
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.labelled_split import LabelledSplit
from maskdet.detector.evaluation.operating_point import count_photos, rows_of_counts
from maskdet.detector.evaluation.report import row_names
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import WeightsError
from maskdet.statistics.figures import FoldFigure, draw_groups, figure_of, mean_of_known, with_measured

#: Stands for a fold's number in the name of its model.
FOLD: Final = "{fold}"

_Floats = npt.NDArray[np.float64]


def fold_figure(folds: _Floats, pooled: _Floats | None = None) -> FoldFigure:
    """Return the figure of each fold's measured value followed by its resampled ones.

    Args:
        folds: (K, 1 + B) float64, NaN where a fold or draw has no such face.
        pooled: (1 + B,) float64, the same of all photos as one set.

    >>> figure = fold_figure(np.array([[0.25], [0.75]]))
    >>> figure.mean.value, round(figure.sd, 4)
    (0.5, 0.3536)
    """
    measured = folds[:, 0]
    known = measured[~np.isnan(measured)]
    return FoldFigure(
        folds=tuple(None if np.isnan(value) else float(value) for value in measured),
        mean=figure_of(mean_of_known(folds, axis=0)[0]),
        sd=float(known.std(ddof=1)) if len(known) > 1 else None,
        pooled=None if pooled is None else figure_of(pooled),
    )


@dataclass(frozen=True, slots=True, eq=False)
class FoldScores:
    """Every figure of one set of photos.

    Attributes:
        faces: size range -> class or ``"mean"`` (then of all) -> labelled faces.
        ap: ``"ap50"`` and ``"ap50_95"`` -> size range -> class or ``"mean"`` -> average precision.
        point: ``"precision"`` and ``"f1"`` -> a row of ``rows_of_counts`` -> the figure at the shipped threshold.
        recall: size range -> a row of ``rows_of_counts`` -> recall at the shipped threshold.
    """

    photos: tuple[int, ...]
    groups: tuple[int, ...]
    faces: dict[str, dict[str, int]]
    ap: dict[str, dict[str, dict[str, FoldFigure]]]
    point: dict[str, dict[str, FoldFigure]]
    recall: dict[str, dict[str, FoldFigure]]


def cross_validate(
    folds: FoldSet,
    found: Sequence[Sequence[Detections]],
    reported: Sequence[Sequence[Detections]],
    *,
    conf: float,
    resamples: int,
    seed: int,
) -> FoldScores:
    """Score detections on every fold.

    Args:
        reported: likewise, as ``maskdet detect`` reports them.
        conf: precision, recall and F1 count what is above it.
        resamples: draws behind each interval, 0 for none.
        seed: where the draws start.

    Raises:
        ValueError: another number of detections than of photos.
    """
    weights = draw_folds(folds, resamples=resamples, seed=seed)
    of_folds = [
        _score(test, every, best, drawn, conf)
        for test, every, best, drawn in zip(folds.tests, found, reported, weights, strict=True)
    ]
    whole = folds.pooled
    pooled = _score(whole, _flat(found), _flat(reported), np.concatenate(weights, axis=1), conf)

    def figure(label: str, *place: int) -> FoldFigure:
        at: tuple[int | slice, ...] = (slice(None), *place)
        return fold_figure(np.stack([of_folds[fold][label][at] for fold in folds.averaged]), pooled[label][at])

    faces, names = count_faces(whole.truths, len(whole.names)), row_names(whole.names)
    ap_rows, rows = ap_rows_of(names), rows_of_counts(names)
    return FoldScores(
        photos=tuple(len(test.photos) for test in folds.tests),
        groups=tuple(len(np.unique(groups)) for groups in folds.groups),
        faces=by_size(lambda row, column: int(faces[row, column]), ap_rows),
        ap={label: by_size(partial(figure, label), ap_rows) for label in ("ap50", "ap50_95")},
        point={label: {name: figure(label, row) for row, name in enumerate(rows)} for label in ("precision", "f1")},
        recall=by_size(partial(figure, "recall"), rows),
    )


def draw_folds(folds: FoldSet, *, resamples: int, seed: int) -> list[npt.NDArray[np.int32]]:
    """Draw groups of photos within each fold; the same seed gives the same draws.

    Returns:
        For each fold (resamples, P) int32: how often each photo counts.
    """
    rng = np.random.default_rng(seed)
    return [draw_groups(groups, resamples=resamples, rng=rng) for groups in folds.groups]


def _score(
    labelled: LabelledSplit,
    found: Sequence[Detections],
    reported: Sequence[Detections],
    weights: npt.NDArray[np.int32],
    conf: float,
) -> dict[str, _Floats]:
    """Return ``ap50`` and ``ap50_95`` by class, and ``precision``, ``recall`` and ``f1`` as ``PhotoCounts.figures``."""
    truths = labelled.truths
    stacked = ap_of_weights(truths, found, coco_scores(truths, found, labelled.names).ap, weights)
    counts = count_photos(truths, reported, conf=conf, classes=len(labelled.names))
    return {**by_iou(stacked), **counts.figures(with_measured(weights))}


def _flat(answers: Sequence[Sequence[Detections]]) -> list[Detections]:
    return [one for fold in answers for one in fold]


def fold_models(template: str, parts: Sequence[str]) -> dict[str, Path]:
    """Return the file of each part's model; that of the series may be missing, and the series is then not scored.

    Args:
        template: a path with ``{fold}`` in it, which stands for 1 … K, and for ``series``.
        parts: ``fold1`` … ``foldK``, and perhaps ``series``.

    Raises:
        WeightsError: nothing stands for the fold, a file is missing, or two files are the same model, which has then
            seen the photos of one of the two folds.
    """
    from maskdet.weights import checksum

    if FOLD not in template:
        raise WeightsError(
            template, f"needs {FOLD} in its name: each fold has a model of its own, which has not seen it"
        )
    paths = {part: Path(template.replace(FOLD, part.removeprefix("fold"))) for part in parts}
    if SERIES in paths and not paths[SERIES].exists():
        del paths[SERIES]
    seen: dict[str, Path] = {}
    for path in paths.values():
        if not path.exists():
            raise WeightsError(path, "no such file")
        first = seen.setdefault(checksum(path), path)
        if first != path:
            raise WeightsError(
                path, f"is the same model as {first.name}: it has seen the photos of one of the two folds"
            )
    return paths
