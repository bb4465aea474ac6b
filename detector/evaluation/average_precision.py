"""Bootstrap of average precision over photos: how far a figure could move with other photos of the same kind.

Photos are drawn with replacement, as many as there are, and AP is computed again for each such draw. Which detection
is right does not depend on the draw, so matching is done once and kept in a table; a draw is then only a number of
times that each photo counts, and all draws are computed together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import IOU_THRESHOLDS, RECALLS, SIZES, coco_iou, match, to_xywh
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.postprocess import MAX_DETECTIONS, Detections
from maskdet.statistics.figures import MEAN, draw_photos

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

    Returns:
        One table a class and size: ``tables[class_id][index in SIZES]``.
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


def resampled_ap(tables: list[list[MatchTable]], *, resamples: int, seed: int) -> npt.NDArray[np.float64]:
    """Draw photos with replacement and compute every AP for each draw.

    Args:
        tables: from ``match_tables``.

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


#: Rows of average precision: the classes and their mean.
AP_ROWS: Final = (*CLASS_NAMES, MEAN)

T = TypeVar("T")


def ap_rows_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return ``AP_ROWS`` of other classes."""
    return (*names, MEAN)


def by_size(cell: Callable[[int, int], T], rows: Sequence[str] = AP_ROWS) -> dict[str, dict[str, T]]:
    """Return size range -> row -> cell.

    Args:
        cell: makes it, from the index of its row and that of its size range in ``SIZES``.

    >>> by_size(lambda row, column: 10 * row + column)["<16 px"]
    {'with_mask': 1, 'without_mask': 11, 'mask_weared_incorrect': 21, 'mean': 31}
    """
    return {size: {name: cell(row, column) for row, name in enumerate(rows)} for column, size in enumerate(SIZES)}


def by_iou(ap: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
    """Return ``"ap50"`` and ``"ap50_95"`` of average precision at every IoU threshold.

    Args:
        ap: (…, 10, R, S) float64 by IoU threshold, class and size.

    Returns:
        Two arrays (…, R, S): at IoU 0.5, and the mean over 0.5 to 0.95.
    """
    return {"ap50": ap[..., 0, :, :], "ap50_95": ap.mean(axis=-3)}
