"""Measured values with their 95 % intervals: of a bootstrap over photos or groups of them, of folds, of a share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Decimals kept in the JSON.
DECIMALS: Final = 6

#: The row after the classes.
MEAN: Final = "mean"

COVERAGE: Final = 0.95

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its 95 % interval; None where it is not defined or was not computed."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def written(
        self,
        write: Callable[[float | None], str],
        write_end: Callable[[float], str] | None = None,
        *,
        frame: str = "({}–{})",
    ) -> str:
        """Return the value, and the interval in a ``frame`` where there is one; ``write_end`` is ``write`` by default.

        >>> Figure(0.9631, 0.9512, 0.9844).written(three_decimals), Figure(None).written(three_decimals)
        ('0.963 (0.951–0.984)', '–')
        """
        text = write(self.value)
        if self.low is None or self.high is None:
            return text
        return f"{text} {frame.format(*map(write_end or write, (self.low, self.high)))}"


@dataclass(frozen=True, slots=True, kw_only=True)
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
        """Return the figure, rounded, its mean's members among its own."""
        pooled = {} if self.pooled is None else {"pooled": plain(self.pooled)}
        return {"folds": plain(self.folds), **plain(self.mean), "sd": plain(self.sd), **pooled}


def plain(value: Any) -> Any:
    """Return a value of dataclasses, mappings and sequences as plain JSON types, floats rounded to ``DECIMALS``.

    A dataclass becomes what its ``to_dict`` returns, else an object of its fields.

    >>> plain({"ap": (Figure(0.96310004, 0.9, 1.0), None)})
    {'ap': [{'value': 0.9631, 'low': 0.9, 'high': 1.0}, None]}
    """
    if isinstance(value, float):
        return round(value, DECIMALS)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)} if is_dataclass(value) else value


def three_decimals(value: float | None) -> str:
    """Return ``0.963``, or a dash."""
    return "–" if value is None else f"{value:.3f}"


def mean_of_known(values: _Floats, *, axis: int) -> _Floats:
    """Return the mean over one axis (kept) of the values that are not NaN; NaN where all are."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis, keepdims=True)
    total = np.where(known, values, 0.0).sum(axis=axis, keepdims=True)
    mean: _Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def figure_of(values: _Floats) -> Figure:
    """Return the figure of a measured value followed by its resampled ones, (1 + resamples,) float64."""
    if np.isnan(values[0]):
        return Figure(None)
    return Figure(float(values[0]), *(interval(values[1:]) or (None, None)))


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
    Bootstrap Methods and their Application, 1997, section 3.8). ``groups`` is (P,) int64, the group of each photo.

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


def interval(values: _Floats, coverage: float = COVERAGE) -> tuple[float, float] | None:
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


def wilson(successes: int, count: int) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212; recommended by Brown, Cai
    and DasGupta, Interval estimation for a binomial proportion, Statistical Science 16 (2001), 101-133.

    >>> [round(end, 4) for end in wilson(13, 394)]
    [0.0194, 0.0556]
    """
    if not 0 <= successes <= count or not count:
        raise ValueError(f"{successes} of {count} is no share")
    z = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    share = successes / count
    shrink = 1 + z**2 / count
    centre = (share + z**2 / (2 * count)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    # At the ends the formula gives exactly 0 and 1, but for rounding.
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == count else centre + half)
