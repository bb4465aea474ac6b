from __future__ import annotations

import numpy as np
import pytest

from maskdet.chain.evaluation.report import ClassRow, class_draws
from maskdet.classifier.study.scores import score
from maskdet.statistics.figures import draw_photos, plain


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_by_hand() -> None:
    # Photo 0: two faces, both right. Photo 2: two faces, one right. Photo 1 has none.
    photos, labels, answers = ints(0, 0, 2, 2), ints(0, 1, 0, 1), ints(0, 1, 0, 0)
    draws = class_draws(photos, labels, answers, photo_count=3, resamples=200, seed=0)
    assert draws.matrix.tolist() == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]
    row = ClassRow.of(draws)
    # F1: 4/5 and 2/3; the third class does not occur.
    assert (row.faces, row.accuracy.value) == (4, 0.75)
    assert row.macro_f1.value == pytest.approx((4 / 5 + 2 / 3) / 2)
    # A draw has 0 to 3 of each photo: all right, half right, or a mixture of both.
    assert (row.accuracy.low, row.accuracy.high) == (0.5, 1)
    weights = draw_photos(3, resamples=200, seed=0)
    empty = (weights[:, 0] + weights[:, 2]) == 0
    assert np.isnan(draws.accuracy[1:]).tolist() == empty.tolist()
    known = ~empty
    expected = (2 * weights[known, 0] + weights[known, 2]) / (2 * (weights[known, 0] + weights[known, 2]))
    assert np.allclose(draws.accuracy[1:][known], expected)


def test_no_draws_no_intervals_and_no_faces_no_figures() -> None:
    row = ClassRow.of(class_draws(ints(0), ints(2), ints(2), photo_count=1, resamples=0, seed=0))
    assert plain(row.accuracy) == {"value": 1.0, "low": None, "high": None}
    nothing = ClassRow.of(class_draws(ints(), ints(), ints(), photo_count=2, resamples=5, seed=0))
    assert (nothing.faces, nothing.accuracy.value, nothing.macro_f1.value) == (0, None, None)


def test_as_the_classifiers_own_scores_say() -> None:
    """Where every photo has a face, the study's figures and intervals are the same."""
    random = np.random.default_rng(1)
    photos = np.concatenate([np.arange(30), random.integers(0, 30, 90)])
    labels = random.integers(0, 3, 120)
    answers = np.where(random.random(120) < 0.7, labels, random.integers(0, 3, 120))
    mine = ClassRow.of(class_draws(photos, labels, answers, photo_count=30, resamples=300, seed=4))
    groups = [f"{photo:03}" for photo in photos]
    other = score(labels, np.eye(3)[answers], groups, resamples=300, seed=4)
    assert mine.accuracy.value == pytest.approx(other.accuracy.value)
    assert other.error_by_group.low is not None and other.error_by_group.high is not None
    assert mine.accuracy.low == pytest.approx(1 - other.error_by_group.high)
    assert mine.accuracy.high == pytest.approx(1 - other.error_by_group.low)
    figures = (mine.macro_f1.value, mine.macro_f1.low, mine.macro_f1.high)
    assert figures == pytest.approx((other.macro_f1.value, other.macro_f1.low, other.macro_f1.high))
