"""Bootstrap of average precision over photos: how far a figure could move with other photos of the same kind.

Photos are drawn with replacement, as many as there are, and AP is computed again for each such draw. Which detection
is right does not depend on the draw, so matching is done once and kept in a table; a draw is then only a number of
times that each photo counts, and all draws are computed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.coco_scores import IOU_THRESHOLDS, RECALLS, SIZES
from maskdet.detector.labelled import Truth
from maskdet.detector.matching import coco_iou, match, to_xywh
from maskdet.detector.postprocess import MAX_DETECTIONS, Detections

#: Counts held at once while draws are computed; 16 million int32 are 64 MB.
_CELLS: Final = 16_000_000


@dataclass(frozen=True, slots=True, eq=False)
class MatchTable:
    """Every detection of one class in one size range, most confident first (ties in the order of the photos).

    Attributes:
        photos: (D,) int64, the photo of each.
        right: (T, D) bool, whether it found a face of the range at each IoU threshold, here ``IOU_THRESHOLDS``.
        counted: (T, D) bool, whether it counts at all: ``right``, or wrong and itself of the range.
        faces: (P,) int64, labelled faces of the range in each photo.
    """

    photos: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    counted: npt.NDArray[np.bool_]
    faces: npt.NDArray[np.int64]


def match_tables(
    truths: Sequence[Truth], found: Sequence[Detections], classes: int = len(CLASS_NAMES)
) -> list[list[MatchTable]]:
    """Match every photo once.

    Args:
        truths: one a photo.
        found: one a photo, in the same order.
        classes: how many there are.

    Returns:
        One table a class and size: ``tables[class_id][index in SIZES]``.

    Raises:
        MissingExtraError: faster-coco-eval, whose IoU is used, is not installed.
        ValueError: the two differ in length.
    """
    return [_class_tables(class_id, truths, found) for class_id in range(classes)]


def _class_tables(class_id: int, truths: Sequence[Truth], found: Sequence[Detections]) -> list[MatchTable]:
    """Return one table a size for one class."""
    confidences: list[npt.NDArray[np.float32]] = []
    photos: list[npt.NDArray[np.int64]] = []
    right: list[list[npt.NDArray[np.bool_]]] = [[] for _ in SIZES]
    counted: list[list[npt.NDArray[np.bool_]]] = [[] for _ in SIZES]
    faces = np.zeros((len(SIZES), len(truths)), dtype=np.int64)
    for photo, (truth, detected) in enumerate(zip(truths, found, strict=True)):
        true = truth.boxes[truth.class_ids == class_id]
        mine = np.flatnonzero(detected.class_ids == class_id)
        mine = mine[np.argsort(-detected.confidences[mine], kind="stable")][:MAX_DETECTIONS]
        boxes = detected.boxes[mine]
        confidences.append(detected.confidences[mine])
        photos.append(np.full(len(mine), photo, dtype=np.int64))
        iou = coco_iou(boxes, true)
        for size, (low, high) in enumerate(SIZES.values()):
            outside = _outside(true, low, high)
            faces[size, photo] = np.count_nonzero(~outside)
            matched = match(iou, IOU_THRESHOLDS, outside)
            # Index -1 (no match) reads the extra last entry.
            hit = np.append(~outside, False)[matched]
            missed_in_range = (matched < 0) & ~_outside(boxes, low, high)
            right[size].append(hit)
            counted[size].append(hit | missed_in_range)
    order = np.argsort(-np.concatenate(confidences), kind="stable")
    ordered = np.concatenate(photos)[order]
    return [
        MatchTable(
            ordered,
            np.concatenate(right[size], axis=1)[:, order],
            np.concatenate(counted[size], axis=1)[:, order],
            faces[size],
        )
        for size in range(len(SIZES))
    ]


def _outside(boxes: npt.NDArray[np.floating], low: float, high: float) -> npt.NDArray[np.bool_]:
    """Say of (N, 4) xyxy boxes whether their area is outside ``low`` to ``high`` squared, both ends within."""
    sides = to_xywh(boxes)[:, 2:]
    area = sides[:, 0] * sides[:, 1]
    return (area < low**2) | (area > high**2)


def weighted_ap(table: MatchTable, weights: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Average precision where each photo counts several times or not at all.

    COCO reads precision at 101 recalls and takes for each the best precision at that recall or a higher one. Only
    right detections raise recall, so precision is needed at those alone: AP = Σ best(i) · n(i) / 101 over the right
    detections i, n(i) being how many of the 101 recalls are first reached with i.

    Args:
        table: the matches of one class and size.
        weights: (B, P) int32, how often each photo counts; a row of ones gives COCO's own figure.

    Returns:
        (B, T) float64 by IoU threshold; NaN where the photos that count have no face.
    """
    faces = weights @ table.faces
    result = np.full((len(weights), len(table.right)), np.nan)
    some = np.flatnonzero(faces > 0)
    step = max(1, _CELLS // max(1, len(table.photos)))
    for start in range(0, len(some), step):
        rows = some[start : start + step]
        columns = np.ascontiguousarray(weights[rows].T)
        for threshold in range(len(table.right)):
            result[rows, threshold] = _ap_at(table, threshold, columns, faces[rows])
    return result


def _ap_at(
    table: MatchTable, threshold: int, weights: npt.NDArray[np.int32], faces: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return (B,) AP at one IoU threshold for (P, B) weights, each draw with at least one of (B,) faces."""
    counted = np.flatnonzero(table.counted[threshold])
    at = np.flatnonzero(table.right[threshold, counted])
    if not at.size:
        return np.zeros(len(faces))
    photos = table.photos[counted[: at[-1] + 1]]
    # Detections between two right ones are only ever counted, so they are summed up at once.
    starts = np.concatenate([[0], at[:-1] + 1])
    reported = np.cumsum(np.add.reduceat(weights[photos], starts, axis=0), axis=0)
    right = np.cumsum(weights[photos[at]], axis=0)
    precision = right / np.maximum(reported, 1)
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    reached = np.searchsorted(RECALLS, right / faces, side="right")
    share: npt.NDArray[np.float64] = (best * np.diff(reached, axis=0, prepend=0)).sum(axis=0) / len(RECALLS)
    return share


def draw_photos(photos: int, *, resamples: int, seed: int) -> npt.NDArray[np.int32]:
    """Draw ``photos`` photos with replacement, again and again.

    Returns:
        (resamples, photos) int32: how often each photo counts. The same seed gives the same draws.
    """
    draws = np.random.default_rng(seed).multinomial(photos, np.full(photos, 1 / photos), size=resamples)
    return draws.astype(np.int32)


def draw_groups(groups: npt.NDArray[np.int64], *, resamples: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Draw groups of photos with replacement, as many as there are, and count how often each photo is drawn.

    Photos of one group resemble each other: they come and go together (the cluster bootstrap; Davison and Hinkley,
    Bootstrap Methods and their Application, 1997, section 3.8).

    Args:
        groups: (P,) int64, the group of each photo.
        resamples: how many draws.
        rng: where they come from.

    Returns:
        (resamples, P) int32.

    >>> drawn = draw_groups(np.array([7, 7, 3]), resamples=100, rng=np.random.default_rng(0))
    >>> sorted(set(map(tuple, drawn.tolist())))
    [(0, 0, 2), (1, 1, 1), (2, 2, 0)]
    """
    names, place = np.unique(groups, return_inverse=True)
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return draws.astype(np.int32)[:, place]


def with_measured(drawn: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Put the photos as they are, each once, before (B, P) draws of them: the first figure is then the measured one.

    >>> with_measured(np.array([[0, 2], [2, 0]], dtype=np.int32)).tolist()
    [[1, 1], [0, 2], [2, 0]]
    """
    return np.concatenate([np.ones((1, drawn.shape[1]), dtype=np.int32), drawn])


def resampled_ap(tables: list[list[MatchTable]], *, resamples: int, seed: int) -> npt.NDArray[np.float64]:
    """Draw photos with replacement and compute every AP for each draw.

    Args:
        tables: from ``match_tables``.
        resamples: how many draws.
        seed: the same seed gives the same draws.

    Returns:
        (resamples, 10, 3, 4) float64 by IoU threshold, class and size; NaN where a draw has no such face.
    """
    return ap_of_draws(tables, draw_photos(len(tables[0][0].faces), resamples=resamples, seed=seed))


def ap_of_draws(tables: list[list[MatchTable]], weights: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Compute every AP for each draw.

    Args:
        tables: from ``match_tables``.
        weights: (B, P) int32, how often each photo counts.

    Returns:
        (B, 10, 3, 4) float64 by IoU threshold, class and size; NaN where a draw has no such face.
    """
    computed = [[weighted_ap(table, weights) for table in sizes] for sizes in tables]
    return np.array(computed).transpose(2, 3, 0, 1)


def interval(values: npt.NDArray[np.float64], coverage: float = 0.95) -> tuple[float, float] | None:
    """Return the percentile interval of (B,) resampled values, NaN left out; None where nothing is left.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.

    >>> interval(np.arange(101.0))
    (2.5, 97.5)
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    tail = (1 - coverage) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return round(float(low), 12), round(float(high), 12)
