from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.classifier.training.temperature import expected_calibration_error as of_classes
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


@given(st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=1, max_size=50))
def test_it_is_the_classifiers_for_answers_between_two_classes(answers: list[tuple[float, bool]]) -> None:
    confidences, right = np.array([one for one, _ in answers]), np.array([two for _, two in answers])
    probabilities = np.stack([confidences, 1 - confidences], axis=1)
    labels = np.where(right, probabilities.argmax(axis=1), 1 - probabilities.argmax(axis=1))
    assert expected_calibration_error(confidences, right) == pytest.approx(of_classes(probabilities, labels))
