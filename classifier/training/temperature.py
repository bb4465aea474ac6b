"""Calibration: one temperature that makes a classifier's probabilities honest, and how honest they are.

Dividing the logits by a temperature changes no answer, only how sure it sounds (Guo et al., "On Calibration of Modern
Neural Networks", ICML 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.statistics import calibration_error
from maskdet.statistics.calibration_error import BINS

#: Where every answer is right (or wrong), certainty has no best value short of infinity; here it ends.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0

#: Halvings of the interval of log(temperature), 6 wide at first: exact to 1e-12.
_HALVINGS = 44


def softmax(logits: NDArray[np.floating[Any]], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return (N, C) float64 probabilities of (N, C) logits divided by a temperature.

    >>> softmax(np.array([[0.0, 0.0], [np.log(9.0), 0.0]])).round(6).tolist()
    [[0.5, 0.5], [0.9, 0.1]]
    >>> softmax(np.array([[np.log(9.0), 0.0]]), temperature=2.0).round(6).tolist()
    [[0.75, 0.25]]
    """
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def negative_log_likelihood(
    logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], temperature: float = 1.0
) -> float:
    """Return the mean of -log p(label), natural logarithm: the cross-entropy that training minimises.

    Args:
        logits: (N, C) float, N at least 1.
        labels: (N,) class ids.
        temperature: divides the logits.

    Raises:
        ValueError: the shapes do not fit, or a label is no class.

    >>> round(negative_log_likelihood(np.zeros((5, 4)), np.zeros(5, np.int64)), 6) == round(float(np.log(4)), 6)
    True
    """
    _check(logits, labels)
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    wanted = scaled[np.arange(len(labels)), labels]
    return float((np.log(np.exp(scaled).sum(axis=1)) - wanted).mean())


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the temperature with the least negative log-likelihood, to be fitted on data not trained on.

    The likelihood is concave in 1 / temperature, so its slope has one zero, found by halving an interval.

    Args:
        logits: (N, C) float, N at least 1.
        labels: (N,) class ids.

    Returns:
        Above 1 for a network that is too sure of itself; between ``MIN_TEMPERATURE`` and ``MAX_TEMPERATURE``.

    Raises:
        ValueError: the shapes do not fit, a label is no class, or a logit is not finite.

    Three of four answers right, each by the same lead of 2: the best probability is 3/4, so 2 / T = log 3.

    >>> logits = np.array([[2.0, 0.0]] * 4)
    >>> round(fit_temperature(logits, np.array([0, 0, 0, 1])), 6) == round(2 / float(np.log(3)), 6)
    True
    """
    _check(logits, labels)
    exact = logits.astype(np.float64)
    wanted = exact[np.arange(len(labels)), labels]

    def too_sure(temperature: float) -> bool:
        """Whether a higher temperature fits better: the expected logit exceeds the label's."""
        expected = (softmax(exact, temperature) * exact).sum(axis=1)
        return float((expected - wanted).mean()) > 0

    low, high = np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)
    if not too_sure(MIN_TEMPERATURE):
        return MIN_TEMPERATURE
    if too_sure(MAX_TEMPERATURE):
        return MAX_TEMPERATURE
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if too_sure(float(np.exp(middle))) else (low, middle)
    return float(np.exp((low + high) / 2))


def expected_calibration_error(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], bins: int = BINS
) -> float:
    """Return how far confidence and accuracy lie apart: equation 3 of Guo et al.

    Answers are put into bins of equal width by the probability of their class, bin m of M over ((m - 1) / M, m / M].
    The error is the mean over all answers of their bin's |accuracy - mean confidence|.

    Args:
        probabilities: (N, C) float, N at least 1.
        labels: (N,) class ids.
        bins: M.

    Returns:
        0 (honest) to 1.

    Raises:
        ValueError: the shapes do not fit, or a label is no class.

    Four answers of confidence 0.8, three right: |0.75 - 0.8|.

    >>> round(expected_calibration_error(np.array([[0.8, 0.2]] * 4), np.array([0, 0, 0, 1])), 6)
    0.05
    """
    _check(probabilities, labels)
    confidences = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    return calibration_error.expected_calibration_error(confidences, right, bins)


def _check(values: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> None:
    if values.ndim != 2 or labels.shape != (len(values),) or not len(values):
        raise ValueError(f"expected (N, C) values and (N,) labels, N at least 1, got {values.shape} and {labels.shape}")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= values.shape[1]:
        raise ValueError(f"labels must be class ids from 0 to {values.shape[1] - 1}")
    if not np.isfinite(values).all():
        raise ValueError("logits and probabilities must be finite")
