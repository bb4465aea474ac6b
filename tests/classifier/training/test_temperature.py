from __future__ import annotations

import math

import numpy as np
import pytest

from maskdet.classifier.training.temperature import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)


def test_likelihood_by_hand() -> None:
    # Probabilities 0.9 and 0.5 of the labels: (log(10/9) + log 2) / 2.
    logits = np.array([[math.log(9), 0.0], [0.0, 0.0]])
    expected = (math.log(10 / 9) + math.log(2)) / 2
    assert negative_log_likelihood(logits, np.array([0, 1])) == pytest.approx(expected, abs=1e-12)
    # At temperature 2, odds of 9 are odds of 3.
    expected = (math.log(4 / 3) + math.log(2)) / 2
    assert negative_log_likelihood(logits, np.array([0, 1]), 2.0) == pytest.approx(expected, abs=1e-12)


def test_large_logits_do_not_overflow() -> None:
    assert softmax(np.array([[1000.0, 0.0, -1000.0]])).tolist() == [[1.0, 0.0, 0.0]]
    assert negative_log_likelihood(np.array([[1000.0, 0.0]]), np.array([1])) == 1000.0


def test_temperature_of_three_classes_by_hand() -> None:
    # A lead of 3 over both others, right in 6 of 10: e^(3/T) / (e^(3/T) + 2) = 0.6, so T = 3 / log 3.
    logits = np.tile([3.0, 0.0, 0.0], (10, 1))
    labels = np.array([0] * 6 + [1, 1, 2, 2])
    assert fit_temperature(logits, labels) == pytest.approx(3 / math.log(3), abs=1e-9)


def test_a_known_temperature_is_found_again() -> None:
    # 4 and 1 as numbers of answers are the probabilities 0.8 and 0.2, whose logits log 4 and 0 are honest as they are.
    logits = np.array([[math.log(4), 0.0]] * 5 + [[0.0, math.log(4)]] * 5)
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 0])
    for temperature in (0.5, 1.0, 3.0):
        assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, abs=1e-9)
        assert fit_temperature((logits * temperature).astype(np.float32), labels) == pytest.approx(
            temperature, rel=1e-6
        )


def test_no_other_temperature_fits_better() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (200, 3))
    labels = np.array([rng.choice(3, p=row) for row in softmax(logits, 2.2)])
    best = fit_temperature(logits, labels)
    least = negative_log_likelihood(logits, labels, best)
    grid = np.exp(np.linspace(math.log(MIN_TEMPERATURE), math.log(MAX_TEMPERATURE), 2001))
    assert all(least <= negative_log_likelihood(logits, labels, float(value)) + 1e-12 for value in grid)


def test_certainty_has_bounds() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 2.0]])
    assert fit_temperature(logits, np.array([0, 1])) == MIN_TEMPERATURE
    assert fit_temperature(logits, np.array([1, 0])) == MAX_TEMPERATURE


def test_calibration_error_by_hand() -> None:
    # 0.9 is in bin 14 of 15 (13/15, 14/15], 0.6 in bin 9 (8/15, 9/15].
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.4, 0.6]] * 6)
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 0, 0, 0])
    # Gaps |3/4 - 0.9| = 0.15 of 4 answers and |1/2 - 0.6| = 0.1 of 6.
    assert expected_calibration_error(probabilities, labels) == pytest.approx((4 * 0.15 + 6 * 0.1) / 10, abs=1e-12)
    # In one bin the gaps add up: |6/10 - 0.72|.
    assert expected_calibration_error(probabilities, labels, bins=1) == pytest.approx(0.12, abs=1e-12)


def test_bins_are_closed_above() -> None:
    # With 5 bins 0.6 belongs to (0.4, 0.6]: alone, right, gap 0.4; 0.7 to (0.6, 0.8]: alone, wrong, gap 0.7.
    probabilities = np.array([[0.6, 0.4], [0.7, 0.3]])
    assert expected_calibration_error(probabilities, np.array([0, 1]), bins=5) == pytest.approx(0.55, abs=1e-12)
    assert expected_calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0.0
    assert expected_calibration_error(np.array([[1.0, 0.0]]), np.array([1])) == 1.0


@pytest.mark.parametrize(
    ("values", "labels", "reason"),
    [
        (np.zeros((0, 3)), np.zeros(0, np.int64), "N at least 1"),
        (np.zeros((2, 3)), np.zeros(3, np.int64), "N at least 1"),
        (np.zeros(3), np.zeros(3, np.int64), "N at least 1"),
        (np.zeros((2, 3)), np.array([0, 3]), "class ids from 0 to 2"),
        (np.zeros((2, 3)), np.array([0, -1]), "class ids from 0 to 2"),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), "class ids from 0 to 2"),
        (np.full((2, 3), np.nan), np.array([0, 1]), "must be finite"),
    ],
)
def test_wrong_input(values: np.ndarray, labels: np.ndarray, reason: str) -> None:
    for function in (fit_temperature, negative_log_likelihood, expected_calibration_error):
        with pytest.raises(ValueError, match=reason):
            function(values, labels)
