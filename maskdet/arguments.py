"""Numbers that a Python caller gives: of the right type and in range, or an error that names the argument."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any


def whole_number(name: str, value: Any, *, low: int, high: int | None = None, unit: str = "") -> int:
    """Return a whole number as ``int``, whatever its type (NumPy's too); messages call it by name and unit.

    Raises:
        TypeError: it is no whole number; truth values are none.
        ValueError: it is out of range.

    >>> whole_number("batch", 2, low=1)
    2
    >>> whole_number("batch", 2.5, low=1)
    Traceback (most recent call last):
    TypeError: batch must be a whole number, not float
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number{_of(unit)}, not {type(value).__name__}")
    number = int(value)
    if number < low or (high is not None and number > high):
        most = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"{name} must be {most}{f' {unit}' if unit else ''}, not {value}")
    return number


def share(name: str, value: Any, *, instead: str = "") -> float:
    """Return a number from 0 to 1 as ``float``; ``instead`` says what else may be given.

    Raises:
        TypeError: it is no number.
        ValueError: it is out of range.

    >>> share("iou", 1)
    1.0
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number{instead and f', or {instead}'}, not {type(value).__name__}")
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be between 0 and 1{instead and f', or {instead}'}, not {value}")
    return number


def _of(unit: str) -> str:
    return f" of {unit}" if unit else ""
