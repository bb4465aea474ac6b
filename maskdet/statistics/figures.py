"""Measured values with their 95 % intervals: of a bootstrap over photos or groups of them, of folds, of a share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt


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


#: Decimals kept in the JSON.
DECIMALS: Final = 6

#: The row after the classes.
MEAN: Final = "mean"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its 95 % bootstrap interval; all None where no such face is labelled."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """Return the figure, rounded."""
        return {"value": rounded(self.value), "low": rounded(self.low), "high": rounded(self.high)}


def rounded(value: float | None) -> float | None:
    """Return ``value`` with the decimals of the JSON."""
    return None if value is None else round(value, DECIMALS)


def mean_of_known(values: npt.NDArray[np.float64], *, axis: int) -> npt.NDArray[np.float64]:
    """Return the mean over one axis (kept) of the values that are not NaN; NaN where all are."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis, keepdims=True)
    total = np.where(known, values, 0.0).sum(axis=axis, keepdims=True)
    mean: npt.NDArray[np.float64] = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def figure_of(values: npt.NDArray[np.float64]) -> Figure:
    """Return the figure of a measured value followed by its resampled ones, (1 + resamples,) float64."""
    if np.isnan(values[0]):
        return Figure(None)
    return Figure(float(values[0]), *(interval(values[1:]) or (None, None)))


@dataclass(frozen=True, slots=True)
class FoldFigure:
    """One figure over K folds; None where no such face is labelled.

    Attributes:
        folds: of each fold.
        mean: of the folds that have it, with its 95 % interval.
        sd: their standard deviation (divided by K − 1); None for fewer than two.
        pooled: of all photos as one set; None where only the folds were scored.
    """

    folds: tuple[float | None, ...]
    mean: Figure
    sd: float | None
    pooled: Figure | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the figure, rounded."""
        pooled = {} if self.pooled is None else {"pooled": self.pooled.to_dict()}
        return {
            "folds": [rounded(value) for value in self.folds],
            **self.mean.to_dict(),
            "sd": rounded(self.sd),
            **pooled,
        }


COVERAGE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; None where it is not defined or was not computed."""

    value: float | None
    low: float | None = None
    high: float | None = None


def wilson(successes: int, count: int, coverage: float = COVERAGE) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, Journal of the
    American Statistical Association 22 (1927), 209-212; recommended by Brown, Cai and DasGupta, Interval estimation
    for a binomial proportion, Statistical Science 16 (2001), 101-133.

    Raises:
        ValueError: ``count`` is 0, or ``successes`` is not between 0 and ``count``.

    >>> [round(end, 4) for end in wilson(13, 394)]
    [0.0194, 0.0556]
    """
    if not 0 <= successes <= count or not count:
        raise ValueError(f"{successes} of {count} is no share")
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    share = successes / count
    shrink = 1 + z**2 / count
    centre = (share + z**2 / (2 * count)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    # At the ends the formula gives exactly 0 and 1, but for rounding.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == count else centre + half
    return low, high
