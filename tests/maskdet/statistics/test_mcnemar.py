from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.statistics.mcnemar import compare_all, exact_p, holm


def test_by_hand() -> None:
    # Six throws, at most one head: (1 + 6) / 64, both sides.
    assert exact_p(1, 5) == exact_p(5, 1) == 2 * 7 / 64
    assert exact_p(3, 3) == exact_p(0, 0) == 1
    assert exact_p(0, 5) == 2 / 32


def test_thousands_of_throws_do_not_underflow() -> None:
    assert exact_p(1000, 1000) == 1
    assert 0 < exact_p(400, 1000) < 1e-50


@given(st.integers(0, 60), st.integers(0, 60))
def test_against_scipys_binomial_test(first: int, second: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    if first + second:
        assert exact_p(first, second) == pytest.approx(stats.binomtest(first, first + second).pvalue)


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .5 times 4 3 2 1 = .04 .06 .06 .5
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_only_common_items_count() -> None:
    one = {"a": True, "b": True, "c": True, "d": False, "x": True}
    other = {"a": True, "b": False, "c": False, "d": True, "y": False}
    alone = {"z": True}
    (pair,) = compare_all([one, other, alone])
    assert (pair.first, pair.second, pair.common) == (0, 1, 4)
    assert (pair.first_only, pair.second_only, pair.p, pair.p_holm) == (2, 1, 1.0, 1.0)
    assert not pair.differ


def test_the_correction_is_over_all_pairs() -> None:
    items = range(12)
    good = dict.fromkeys(map(str, items), True)
    bad = dict.fromkeys(map(str, items), False)
    pairs = compare_all([good, bad, good])
    assert [(pair.first, pair.second) for pair in pairs] == [(0, 1), (0, 2), (1, 2)]
    assert pairs[0].p == 2 / 2**12
    assert pairs[0].p_holm == 3 * pairs[0].p
    assert [pair.differ for pair in pairs] == [True, False, True]


def test_a_group_counts_once() -> None:
    """Four crops of one crowd and two others: by item 6 to 0, by group the coin is thrown three times."""
    items = ["crowd/0", "crowd/1", "crowd/2", "crowd/3", "b", "c", "both"]
    groups = {item: item.partition("/")[0] for item in items}
    good, bad = dict.fromkeys(items, True), dict.fromkeys(items, False) | {"both": True}
    (pair,) = compare_all([good, bad], groups)
    assert (pair.first_only, pair.second_only, pair.groups) == (6, 0, 3)
    assert (pair.p, pair.p_group) == (2 / 2**6, 2 / 2**3)
    assert not pair.differ
    # Without groups every crop is one.
    (alone,) = compare_all([good, bad])
    assert (alone.groups, alone.p_group) == (6, alone.p)
    assert alone.differ


def test_gains_and_losses_in_a_group_cancel() -> None:
    one = {"a/0": True, "a/1": False, "b/0": True}
    other = {"a/0": False, "a/1": True, "b/0": False}
    (pair,) = compare_all([one, other], {item: item[0] for item in one})
    assert (pair.first_only, pair.second_only, pair.groups, pair.p_group) == (2, 1, 1, 1.0)
