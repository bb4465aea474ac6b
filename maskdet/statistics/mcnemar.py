"""Whether two classifiers differ: McNemar's exact test, and Holm's correction over all pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two classifiers, by index, on the items that both answered; ``p_holm`` is corrected for all pairs."""

    first: int
    second: int
    common: int
    first_only: int
    second_only: int
    p: float
    p_holm: float

    @property
    def differ(self) -> bool:
        """Whether the difference holds at 5 % over all pairs."""
        return self.p_holm < ALPHA


def exact_p(first_only: int, second_only: int) -> float:
    """Return the two-sided p of McNemar's exact test: a fair coin thrown once for each item that one alone got right.

    >>> exact_p(1, 5), exact_p(0, 0)
    (0.21875, 1.0)
    """
    thrown = first_only + second_only
    tail = sum(math.comb(thrown, k) for k in range(min(first_only, second_only) + 1))
    # Whole numbers until here: 2 ** -thrown alone would be too small for a float from 1,075 on.
    share: float = 2 * tail / 2**thrown
    return min(1.0, share)


def holm(values: Sequence[float]) -> list[float]:
    """Return Holm's corrected p values, in the order given.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
    (1979), 65-70.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        running = max(running, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = running
    return corrected


def compare_all(right: Sequence[Mapping[str, bool]]) -> list[Comparison]:
    """Compare every two classifiers by item -> right or not; pairs without a common item are left out."""
    found = []
    for first, second in combinations(range(len(right)), 2):
        one, other = right[first], right[second]
        common = [item for item in one if item in other]
        if common:
            first_only = sum(one[item] and not other[item] for item in common)
            second_only = sum(other[item] and not one[item] for item in common)
            found.append((first, second, len(common), first_only, second_only, exact_p(first_only, second_only)))
    corrected = holm([row[-1] for row in found])
    return [Comparison(*row, p_holm) for row, p_holm in zip(found, corrected, strict=True)]
