"""Members of a JSON object from a stranger, each checked for being there, for its type and for its range."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Final, NoReturn, TypeVar

from maskdet.printable import printable

_T = TypeVar("_T")

#: Whole numbers at most: what 32-bit sizes and the identities of trackers can be.
MAX_INTEGER: Final = 2**31 - 1

#: Characters of a value that a message shows.
_SHOWN: Final = 60

#: How messages call what JSON holds.
_KINDS: Final = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "an array",
    dict: "an object",
}


def parse(text: str | bytes | bytearray) -> Any:
    """Return what one JSON text holds.

    Raises:
        ValueError: it is no JSON, not UTF-8, nested too deeply for Python, or has a number that JSON does not know
            (``NaN``, ``Infinity``) or that has thousands of digits.
    """
    if isinstance(text, (bytes, bytearray)):
        if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ValueError("UTF-16 text: save the file as UTF-8")
        text = text.decode("utf-8-sig")  # Windows' editors put a mark in front
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
    except RecursionError:  # its many hundred frames say nothing
        raise ValueError("arrays or objects are nested too deeply") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no finite number")


def show(value: object) -> str:
    r"""Return a value as a message shows it: one line, cut short.

    >>> show("a\nb"), len(show("a" * 1000))
    ("'a\\nb'", 60)
    """
    try:
        text = repr(value[:_SHOWN] if isinstance(value, (str, list)) else value)
    except (RecursionError, ValueError):  # nested too deeply, or an integer of more digits than Python prints
        text = type(value).__name__
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def shown(text: str) -> str:
    """Return words of a file as a message shows them: one line, cut short, without quotes."""
    text = printable(text[: 3 * _SHOWN])
    return text if len(text) < 3 * _SHOWN else text[: 3 * _SHOWN - 1] + "…"


class Members:
    """The members of one object; each method returns one of them, checked.

    All raise ``ValueError`` for a member that is missing, has the wrong type or is out of range; the message names it
    by its way from the outermost object. Truth values are never taken for numbers, nor text.

    >>> box = Members({"x1": 2}, "box")
    >>> box.number("x1"), box.integer("x1", low=0)
    (2.0, 2)
    >>> box.number("x2")
    Traceback (most recent call last):
    ValueError: 'x2' is missing in box
    """

    def __init__(self, value: Any, place: str) -> None:
        """Take an object; ``place`` is how messages call it."""
        if not isinstance(value, Mapping):
            _wrong(place, "an object", value)
        self._members, self._place = value, place

    def __contains__(self, key: str) -> bool:
        """Whether the member is there."""
        return key in self._members

    def __iter__(self) -> Iterator[str]:
        """Yield the members' names."""
        return iter(self._members)

    def get(self, key: str) -> Any:
        """Return a member unchecked."""
        if key not in self._members:
            raise ValueError(f"'{key}' is missing in {self._place}")
        return self._members[key]

    def object(self, key: str) -> Members:
        """Return a member that is an object itself."""
        return Members(self.get(key), self._name(key))

    def objects(self, key: str) -> list[Members]:
        """Return a member that is an array of objects."""
        value = self.get(key)
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
            _wrong(self._name(key), "an array", value)
        return [Members(one, f"{self._name(key)}[{number}]") for number, one in enumerate(value)]

    def text(self, key: str) -> str:
        """Return a member that is text."""
        return self._typed(key, str, "text")

    def truth(self, key: str) -> bool:
        """Return a member that is true or false."""
        return self._typed(key, bool, "true or false")

    def number(self, key: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a member that is a finite number from ``low`` to ``high``."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, Real):
            _wrong(self._name(key), "a number", value)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"{self._name(key)} is no finite number: {show(value)}")
        if not low <= number <= high:
            raise ValueError(f"{self._name(key)} must be {_range(low, high)}, not {show(value)}")
        return number

    def integer(self, key: str, *, low: int, high: int = MAX_INTEGER) -> int:
        """Return a member that is a whole number from ``low`` to ``high``; 3.0 is 3, as JSON has it."""
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, Integral):
            number = self.number(key)
            if not number.is_integer():
                _wrong(self._name(key), "a whole number", value)
            value = number
        if not low <= value <= high:
            raise ValueError(f"{self._name(key)} must be {_range(low, high)}, not {show(value)}")
        return int(value)

    def _typed(self, key: str, kind: type[_T], wanted: str) -> _T:
        value = self.get(key)
        if not isinstance(value, kind):
            _wrong(self._name(key), wanted, value)
        return value

    def _name(self, key: str) -> str:
        return shown(f"{self._place}.{key}" if self._place else key)


def _range(low: float, high: float) -> str:
    return f"at least {low:g}" if high in (math.inf, MAX_INTEGER) else f"from {low:g} to {high:g}"


def _wrong(name: str, wanted: str, value: object) -> NoReturn:
    kind = _KINDS.get(type(value), type(value).__name__)
    raise ValueError(f"{name or 'the line'} has the wrong type: expected {wanted}, got {kind}")
