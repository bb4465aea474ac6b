from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.statistics.mcnemar import exact_p
from maskdet.statistics.sign_flips import sign_flip_p


def test_by_hand() -> None:
    # ±3 ±2 ±1: of the eight sums only 6 and -6 are as far from zero as 6; four are at least as far as 4.
    assert sign_flip_p(np.array([3, 2, 1])) == 2 / 8
    assert sign_flip_p(np.array([3, 2, -1])) == 4 / 8
    # One group with everything says nothing, however much that is.
    assert sign_flip_p(np.array([0, 40, 0])) == 1
    assert sign_flip_p(np.zeros(0, dtype=np.int64)) == 1


@given(st.lists(st.integers(-9, 9), max_size=9))
def test_against_every_throw_of_the_coins(given_differences: list[int]) -> None:
    seen = abs(sum(given_differences))
    throws = [
        abs(np.dot(signs, given_differences)) >= seen for signs in product((-1, 1), repeat=len(given_differences))
    ]
    assert sign_flip_p(np.array(given_differences, dtype=np.int64)) == pytest.approx(np.mean(throws), rel=1e-12)


@given(st.integers(0, 60), st.integers(0, 60))
def test_items_that_stand_for_themselves_are_mcnemars(first: int, second: int) -> None:
    assert sign_flip_p(np.array([1] * first + [-1] * second, dtype=np.int64)) == pytest.approx(exact_p(first, second))


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=10))
def test_against_scipys_permutation_test(differences: list[int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.array(differences)
    theirs = stats.permutation_test(
        (values,), lambda x, axis: np.abs(x.sum(axis=axis)), permutation_type="samples", alternative="greater",
        vectorized=True, n_resamples=np.inf,
    )  # fmt: skip
    assert sign_flip_p(values) == pytest.approx(theirs.pvalue)


def test_neither_order_nor_direction_nor_ties_matter() -> None:
    values = np.array([4, -1, 0, 2, -3, 7, 1])
    assert sign_flip_p(values) == sign_flip_p(-values[::-1]) == sign_flip_p(values[values != 0])


def test_hundreds_of_groups_are_still_exact() -> None:
    assert sign_flip_p(np.ones(640, dtype=np.int64)) == pytest.approx(2.0**-639)
