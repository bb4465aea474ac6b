"""Whether two classifiers differ: by item McNemar's exact test, by group sign flips, each with Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from maskdet.statistics.sign_flips import sign_flip_p

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two classifiers, by index, on the items that both answered.

    Attributes:
        common: items that both answered.
        first_only: of them, those that the first alone got right.
        p: of McNemar's exact test, which takes the items for independent; ``p_holm`` is corrected for all pairs.
        groups: in which the two do not get the same number right.
        p_group: of sign flips by group; ``p_group_holm`` is corrected for all pairs.
    """

    first: int
    second: int
    common: int
    first_only: int
    second_only: int
    p: float
    p_holm: float
    groups: int
    p_group: float
    p_group_holm: float

    @property
    def differ(self) -> bool:
        """Whether the difference holds at 5 % over all pairs, items of one group not being independent."""
        return self.p_group_holm < ALPHA


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


def compare_all(right: Sequence[Mapping[str, bool]], groups: Mapping[str, str] | None = None) -> list[Comparison]:
    """Compare every two classifiers by item -> right or not; pairs without a common item are left out.

    ``groups`` names each item's group; without it each item is one, and both tests are McNemar's.
    """
    items = sorted({item for one in right for item in one})
    names = items if groups is None else [groups[item] for item in items]
    number = np.unique(np.asarray(names), return_inverse=True)[1] if items else np.zeros(0, dtype=np.int64)
    # 1 right, 0 wrong, -1 not asked.
    table = np.array([[int(one.get(item, -1)) for item in items] for one in right], dtype=np.int64)
    found = []
    for first, second in combinations(range(len(right)), 2):
        common = (table[first] >= 0) & (table[second] >= 0)
        if common.any():
            difference = np.where(common, table[first] - table[second], 0)
            by_group = np.zeros(int(number.max()) + 1, dtype=np.int64)
            np.add.at(by_group, number, difference)
            found.append((first, second, int(common.sum()), difference, by_group))
    counts = [(int((row[3] > 0).sum()), int((row[3] < 0).sum())) for row in found]
    by_item = [exact_p(*pair) for pair in counts]
    by_group_p = [sign_flip_p(row[4]) for row in found]
    return [
        Comparison(
            first=first, second=second, common=common, first_only=alone[0], second_only=alone[1], p=p, p_holm=p_holm,
            groups=int((by_group != 0).sum()), p_group=p_group, p_group_holm=p_group_holm,
        )
        for (first, second, common, _, by_group), alone, p, p_holm, p_group, p_group_holm in zip(
            found, counts, by_item, holm(by_item), by_group_p, holm(by_group_p), strict=True
        )
    ]  # fmt: skip
