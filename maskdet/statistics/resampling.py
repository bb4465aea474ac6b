"""Bootstrap: photos or groups of photos drawn again, and the interval of what they give."""

from __future__ import annotations

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
