from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch")
special = pytest.importorskip("scipy.special")

from maskdet.classifier.training.ship import MAX_TEMPERATURE, MIN_TEMPERATURE, fit_temperature  # noqa: E402 - torch


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
    labels = np.array([rng.choice(3, p=row) for row in special.softmax(logits / 2.2, axis=1)])

    def likelihood(temperature: float) -> float:
        return float(special.log_softmax(logits / temperature, axis=1)[np.arange(200), labels].mean())

    best = likelihood(fit_temperature(logits, labels))
    grid = np.exp(np.linspace(math.log(MIN_TEMPERATURE), math.log(MAX_TEMPERATURE), 2001))
    assert all(best >= likelihood(float(value)) - 1e-12 for value in grid)


def test_certainty_has_bounds() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 2.0]])
    assert fit_temperature(logits, np.array([0, 1])) == MIN_TEMPERATURE
    assert fit_temperature(logits, np.array([1, 0])) == MAX_TEMPERATURE


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
    with pytest.raises(ValueError, match=reason):
        fit_temperature(values, labels)
