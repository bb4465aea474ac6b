from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from maskdet.classifier.study.scores import floor_of, score
from maskdet.statistics.figures import Figure, wilson
from maskdet.statistics.scores import balanced_accuracy, error, f1, macro_f1, precision, recall, roc_auc, roc_curve


def answers(seed: int, count: int, classes: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and probabilities on a coarse grid, so that ties are frequent."""
    rng = np.random.default_rng(seed)
    raw = rng.integers(1, 5, (count, classes)).astype(float)
    return rng.integers(0, classes, count), raw / raw.sum(axis=1, keepdims=True)


def test_the_studys_inception_matrix() -> None:
    matrix = np.array([[579, 73], [60, 78]])
    assert precision(matrix).round(4).tolist() == [0.9061, 0.5166]
    assert recall(matrix).round(4).tolist() == [0.8880, 0.5652]
    assert f1(matrix).round(4).tolist() == [0.8970, 0.5398]
    assert round(float(macro_f1(matrix)), 4) == 0.7184
    assert round(float(balanced_accuracy(matrix)), 4) == 0.7266
    assert round(1 - float(error(matrix)), 4) == 0.8316


def test_a_class_never_answered_has_precision_0() -> None:
    matrix = np.array([[652, 0], [138, 0]])
    assert precision(matrix).tolist() == [652 / 790, 0]
    assert f1(matrix).tolist() == [2 * 652 / (652 + 790), 0]
    assert round(float(macro_f1(matrix)), 4) == 0.4521
    assert float(balanced_accuracy(matrix)) == 0.5


def test_a_class_that_does_not_occur_is_left_out_of_the_means() -> None:
    matrix = np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])
    assert float(balanced_accuracy(matrix)) == pytest.approx((3 / 4 + 1) / 2)
    assert float(macro_f1(matrix)) == pytest.approx((6 / 7 + 4 / 5) / 2)


def test_the_floor_answers_the_most_frequent_class() -> None:
    floor = floor_of(np.array([[2, 1], [3, 4]]))
    assert (floor.answer, floor.count, floor.auc) == (1, 10, 0.5)
    assert floor.error == pytest.approx(0.3)
    assert floor.macro_f1 == pytest.approx(14 / 17 / 2)
    assert floor.balanced_accuracy == 0.5


@pytest.mark.parametrize(
    ("wrong", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3, prints 81/263, 15/148, 0/20 and 1/29 so.
    [((81, 263), 0.2553, 0.3662), ((15, 148), 0.0624, 0.1605), ((0, 20), 0, 0.1611), ((1, 29), 0.0061, 0.1718)],
)
def test_wilson_against_newcombes_table(wrong: tuple[int, int], low: float, high: float) -> None:
    assert tuple(round(end, 4) for end in wilson(*wrong)) == (low, high)


def test_wilson_ends_at_0_and_1() -> None:
    assert wilson(0, 7)[0] == 0
    assert wilson(7, 7)[1] == 1
    with pytest.raises(ValueError, match="3 of 2 is no share"):
        wilson(3, 2)


def test_figures_of_four_answers_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    result = score(labels, np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8]]), resamples=0)
    # 0.5 is a tie and goes to class 0; class 1 wins 3 of 4 pairs (0.5 loses to 0.6).
    assert result.matrix.tolist() == [[1, 1], [1, 1]]
    assert (result.count, result.wrong, result.error.value) == (4, 2, 0.5)
    assert result.auc == Figure(0.75)
    assert result.macro_f1 == Figure(0.5)
    assert [row.support for row in result.classes] == [2, 2]
    assert result.accuracy.low == 1 - result.error.high  # type: ignore[operator]


def test_ties_count_half() -> None:
    labels = np.array([0, 1, 1, 0])
    same = np.full((4, 2), 0.5)
    assert roc_auc(labels, same).tolist() == [0.5]
    assert math.isnan(roc_auc(np.zeros(4, dtype=np.int64), same)[0])


def test_three_classes_leave_out_an_absent_one() -> None:
    labels = np.array([0, 0, 1])
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.3, 0.6, 0.1]])
    # class 0: pairs (.6 > .3), (.2 < .3) -> 1/2; class 1: (.6 > .3), (.6 < .7) -> 1/2
    assert roc_auc(labels, probabilities).tolist() == [0.5]


def test_one_class_has_no_auc() -> None:
    result = score(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]), resamples=5)
    assert result.auc == Figure(None)
    assert result.balanced_accuracy == Figure(1.0, 1.0, 1.0)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 30), classes=st.sampled_from([2, 3]))
def test_a_weight_is_a_repetition(seed: int, count: int, classes: int) -> None:
    labels, probabilities = answers(seed, count, classes)
    times = np.random.default_rng(seed).integers(0, 4, count)
    repeated = np.repeat(np.arange(count), times)
    weighted = roc_auc(labels, probabilities, times[None].astype(float))
    expected = roc_auc(labels[repeated], probabilities[repeated])
    assert np.allclose(weighted, expected, equal_nan=True)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(5, 60))
def test_the_curves_area_is_the_auc(seed: int, count: int) -> None:
    labels, probabilities = answers(seed, count, 2)
    labels[:2] = [0, 1]
    false, true = roc_curve(labels == 1, probabilities[:, 1])
    assert np.trapezoid(true, false) == pytest.approx(roc_auc(labels, probabilities)[0])


def test_a_curve_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="both positive and negative"):
        roc_curve(np.array([True, True]), np.array([0.1, 0.2]))


def test_against_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    for classes in (2, 3):
        labels, probabilities = answers(5, 200, classes)
        result = score(labels, probabilities, resamples=0)
        given_answers = probabilities.argmax(axis=1)
        rows = metrics.precision_recall_fscore_support(labels, given_answers)
        assert np.allclose([(c.precision, c.recall, c.f1, c.support) for c in result.classes], np.transpose(rows))
        assert result.matrix.tolist() == metrics.confusion_matrix(labels, given_answers).tolist()
        assert result.macro_f1.value == pytest.approx(metrics.f1_score(labels, given_answers, average="macro"))
        assert result.balanced_accuracy.value == pytest.approx(metrics.balanced_accuracy_score(labels, given_answers))
        scores = probabilities[:, 1] if classes == 2 else probabilities
        assert result.auc.value == pytest.approx(metrics.roc_auc_score(labels, scores, multi_class="ovr"))


def test_groups_move_together() -> None:
    """Of two groups one is all right and one all wrong: a draw has error 0, ½ or 1, so the interval is 0 to 1."""
    labels = np.zeros(200, dtype=np.int64)
    right = np.tile([0.9, 0.1], (100, 1))
    probabilities = np.concatenate([right, right[:, ::-1]])
    together = score(labels, probabilities, ["a"] * 100 + ["b"] * 100)
    assert together.error_by_group == Figure(0.5, 0.0, 1.0)
    apart = score(labels, probabilities).error_by_group
    assert apart.low is not None
    assert 0.42 < apart.low < 0.45  # 0.5 - 1.96 * sqrt(0.25 / 200) = 0.431


def test_the_order_of_the_items_does_not_matter() -> None:
    labels, probabilities = answers(3, 50, 3)
    groups = [f"g{index % 7}" for index in range(50)]
    order = np.random.default_rng(0).permutation(50)
    first = score(labels, probabilities, groups, resamples=50)
    second = score(labels[order], probabilities[order], [groups[i] for i in order], resamples=50)
    for name in ("error_by_group", "macro_f1", "balanced_accuracy", "auc"):
        one, other = getattr(first, name), getattr(second, name)
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_nothing_to_score() -> None:
    with pytest.raises(ValueError, match="cannot be scored"):
        score(np.zeros(0, dtype=np.int64), np.zeros((0, 2)))
    with pytest.raises(ValueError, match="cannot be scored"):
        score(np.array([0]), np.array([[1.0, 0.0]]), ["a", "b"])
