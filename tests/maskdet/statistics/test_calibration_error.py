from __future__ import annotations

import numpy as np
import pytest

from maskdet.statistics.calibration_error import adaptive_calibration_error, expected_calibration_error, reliability

#: Two bins: below a half 0.1 and 0.3, one right; above it 0.8, 0.9 and 1.0, all right.
CONFIDENCES = np.array([0.1, 0.3, 0.8, 0.9, 1.0])
RIGHT = np.array([False, True, True, True, True])


def test_by_hand() -> None:
    # Lower bin: |1/2 − 0.2| = 0.3, two of five; upper: |1 − 0.9| = 0.1, three of five.
    assert expected_calibration_error(CONFIDENCES, RIGHT, bins=2) == pytest.approx(0.4 * 0.3 + 0.6 * 0.1)
    lower, upper = reliability(CONFIDENCES, RIGHT, bins=2)
    assert lower is not None
    assert upper is not None
    assert (lower.count, lower.confidence, lower.right) == pytest.approx((2, 0.2, 0.5))
    assert (upper.count, upper.confidence, upper.right) == pytest.approx((3, 0.9, 1.0))
    assert reliability(CONFIDENCES, RIGHT, bins=10)[1] is None


def test_weights_count_an_answer_as_often_as_they_say() -> None:
    times = np.array([2, 0, 1, 0, 3])
    repeated = expected_calibration_error(np.repeat(CONFIDENCES, times), np.repeat(RIGHT, times))
    assert expected_calibration_error(CONFIDENCES, RIGHT, weights=times) == pytest.approx(repeated)


def test_equal_counts() -> None:
    # Three bins of 2, 2 and 1: |(0 − .1) + (1 − .3)|, |(1 − .8) + (1 − .9)| and 0, over five.
    assert adaptive_calibration_error(CONFIDENCES, RIGHT, bins=3) == pytest.approx((0.6 + 0.3 + 0.0) / 5)


def test_nothing_to_count() -> None:
    nothing = np.zeros(0)
    assert np.isnan(expected_calibration_error(nothing, nothing.astype(bool)))
    assert np.isnan(adaptive_calibration_error(nothing, nothing.astype(bool)))


def test_fifteen_bins_by_hand() -> None:
    # 0.9 is in bin 14 of 15 (13/15, 14/15], 0.6 in bin 9 (8/15, 9/15].
    confidences = np.array([0.9] * 4 + [0.6] * 6)
    right = np.array([True] * 3 + [False] + [True] * 3 + [False] * 3)
    # Gaps |3/4 - 0.9| = 0.15 of 4 answers and |1/2 - 0.6| = 0.1 of 6.
    assert expected_calibration_error(confidences, right) == pytest.approx((4 * 0.15 + 6 * 0.1) / 10, abs=1e-12)
    # In one bin the gaps add up: |6/10 - 0.72|.
    assert expected_calibration_error(confidences, right, bins=1) == pytest.approx(0.12, abs=1e-12)


def test_bins_are_closed_above() -> None:
    # With 5 bins 0.6 belongs to (0.4, 0.6]: alone, right, gap 0.4; 0.7 to (0.6, 0.8]: alone, wrong, gap 0.7.
    answers = np.array([0.6, 0.7]), np.array([True, False])
    assert expected_calibration_error(*answers, bins=5) == pytest.approx(0.55, abs=1e-12)
    assert expected_calibration_error(np.ones(1), np.array([True])) == 0.0
    assert expected_calibration_error(np.ones(1), np.array([False])) == 1.0
