"""What stands in one cell of a table.

A figure is what the reports hold: ``{"value": 0.84, "low": 0.81, "high": 0.87}``, low and high null where there is no
interval, value null where there is nothing to measure.
"""

from __future__ import annotations

from typing import Any

#: A class or the mean, as headings and sentences call it.
SHORT = {"with_mask": "with_mask", "without_mask": "without_mask", "mask_weared_incorrect": "incorrect", "mean": "mean"}


def with_interval(figure: dict[str, Any], digits: int = 2) -> str:
    """Return ``0.840 (0.81–0.87)``, or a dash; ``digits`` are those of the interval."""
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:.3f}{_interval(figure, digits)}"


def spread(figure: dict[str, Any]) -> str:
    """Return ``0.840 ± 0.031 (0.81–0.87)``, or a dash."""
    if figure["value"] is None:
        return "–"
    deviation = "" if figure["sd"] is None else f" ± {figure['sd']:.3f}"
    return f"{figure['value']:.3f}{deviation}{_interval(figure, 2)}"


def _interval(figure: dict[str, Any], digits: int) -> str:
    return "" if figure["low"] is None else f" ({figure['low']:.{digits}f}–{figure['high']:.{digits}f})"


def signed(figure: dict[str, Any]) -> str:
    """Return ``+0.021 (+0.003 to +0.040)``, or a dash."""
    if figure["value"] is None:
        return "–"
    interval = "" if figure["low"] is None else f" ({figure['low']:+.3f} to {figure['high']:+.3f})"
    return f"{figure['value']:+.3f}{interval}"


def three_digits(value: float | None) -> str:
    """Return three digits that mean something."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
