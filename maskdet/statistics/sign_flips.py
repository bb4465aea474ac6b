"""Whether two answers to the same items differ, where items come in groups that stand or fall together.

Faces of one photo, and of photos that resemble each other, are not independent: what is exchanged under the null
hypothesis is which of the two classifiers is which, for a whole group at a time (Winkler et al., Multi-level block
permutation, NeuroImage 123, 2015; the exact test is R. A. Fisher's of 1935).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sign_flip_p(differences: NDArray[np.int64]) -> float:
    """Return the two-sided p of the sum of (G,) whole differences, the sign of each thrown by a fair coin.

    It is exact for any number of groups: the sum of independent whole numbers has few values, and their chances follow
    group by group. Where every difference is 1 or -1 this is McNemar's exact test.

    Five and one in two groups: of the sums 6, 4, -4 and -6 two are as far from zero as the 6 that was seen.

    >>> sign_flip_p(np.array([5, 1])), sign_flip_p(np.array([1, 1, 1, 1, 1])), sign_flip_p(np.array([0, 0]))
    (0.5, 0.0625, 1.0)
    """
    sizes = np.abs(differences[differences != 0])
    reach = int(sizes.sum())
    sums = np.arange(-reach, reach + 1)
    chances = (sums == 0).astype(np.float64)
    for size in sizes.tolist():
        # The outermost values are still empty: what goes round comes back as zero.
        chances = (np.roll(chances, size) + np.roll(chances, -size)) / 2
    return min(1.0, float(chances[np.abs(sums) >= abs(int(differences.sum()))].sum()))
