"""How honest confidences are: expected calibration error, with bins of equal width or of equal counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: As in Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
BINS: Final = 15


@dataclass(frozen=True, slots=True)
class Bin:
    """What stands in one bin: how many answers, their mean confidence, and the share of them that is right."""

    count: int
    confidence: float
    right: float


def bin_numbers(confidences: NDArray[np.floating[Any]], bins: int = BINS) -> NDArray[np.int64]:
    """Return the bin of each confidence, (N,) int64: bin m of M, from 0, covers (m / M, (m + 1) / M].

    >>> bin_numbers(np.array([0.0, 0.5, 0.51, 1.0]), bins=2).tolist()
    [0, 0, 1, 1]
    """
    exact = confidences.astype(np.float64)
    numbers: NDArray[np.int64] = np.clip(np.ceil(exact * bins).astype(np.int64) - 1, 0, bins - 1)
    return numbers


def expected_calibration_error(
    confidences: NDArray[np.floating[Any]],
    right: NDArray[np.bool_],
    bins: int = BINS,
    weights: NDArray[np.integer[Any]] | None = None,
) -> float:
    """Return how far confidence and the share of right answers lie apart, 0 to 1: equation 3 of Guo et al.

    The mean over all answers, counted ``weights`` times, of their bin's |share right - mean confidence|, the bins being
    of equal width; NaN where nothing counts. For detections, right means that the box found a face of its class
    (Küppers et al., CVPR workshops 2020).

    Four answers of confidence 0.8, three right: |0.75 - 0.8|.

    >>> round(expected_calibration_error(np.full(4, 0.8), np.array([True, True, True, False])), 6)
    0.05
    """
    times = np.ones(len(right)) if weights is None else weights.astype(np.float64)
    if not times.sum():
        return float("nan")
    # |share right - confidence| times the answers in the bin is the sum over the bin of (right - confidence).
    gaps = np.bincount(bin_numbers(confidences, bins), weights=times * (right - confidences), minlength=bins)
    return float(np.abs(gaps).sum() / times.sum())


def adaptive_calibration_error(
    confidences: NDArray[np.floating[Any]], right: NDArray[np.bool_], bins: int = BINS
) -> float:
    """Return the same with bins of equal counts, so that none is nearly empty.

    Source: Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural language processing
    models", EMNLP 2015.

    The two lower answers are 0.1 and 0.3 and one is right, the two higher ones 0.8 and 1 and both are:

    >>> round(adaptive_calibration_error(np.array([0.1, 0.3, 0.8, 1.0]), np.array([0, 1, 1, 1], bool), bins=2), 6)
    0.2
    """
    if not len(right):
        return float("nan")
    order = np.argsort(confidences, kind="stable")
    gaps = [abs(float((right[part] - confidences[part]).sum())) for part in np.array_split(order, bins)]
    return sum(gaps) / len(right)


def reliability(confidences: NDArray[np.floating[Any]], right: NDArray[np.bool_], bins: int = BINS) -> list[Bin | None]:
    """Return what stands in each bin of equal width, None where it is empty."""
    numbers = bin_numbers(confidences, bins)
    table: list[Bin | None] = []
    for number in range(bins):
        inside = numbers == number
        count = int(inside.sum())
        table.append(Bin(count, float(confidences[inside].mean()), float(right[inside].mean())) if count else None)
    return table
