"""Alerts: rules, watched over a stream of results, and what happens when one holds.

A rule is a figure of a result, a comparison, and a number::

    without_mask>=3     three faces or more without a mask
    faces>50            more than fifty faces
    compliance<0.8      fewer than four in five wear a mask properly; never holds where there is no face
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from maskdet.classes import CLASS_NAMES
from maskdet.results import MaskResult

#: What a rule may look at beside the model's classes.
SUBJECTS: Final = ("faces", "compliance")

COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}

_PATTERN: Final = re.compile(
    r"\s*(?P<subject>[^<>=]*[^<>=\s])\s*(?P<comparison>>=|<=|==|>|<)\s*(?P<number>[0-9]*\.?[0-9]+)\s*"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        subject: a class, or one of ``SUBJECTS``.
        comparison: one of ``COMPARISONS``.
        number: what the figure is compared with: a count, or for ``compliance`` a share from 0 to 1.
    """

    subject: str
    comparison: str
    number: float

    def __str__(self) -> str:
        """Return the rule as it is written."""
        return f"{self.subject}{self.comparison}{self.number:g}"

    def value(self, result: MaskResult) -> float | None:
        """Return the figure that the rule looks at; None for the compliance of nobody."""
        if self.subject == "faces":
            return len(result.faces)
        if self.subject == "compliance":
            return result.compliance
        return result.counts.get(self.subject)

    def holds(self, result: MaskResult) -> bool:
        """Say whether the rule holds for a result."""
        value = self.value(result)
        return value is not None and COMPARISONS[self.comparison](value, self.number)


def parse_rule(text: str, names: Sequence[str] = CLASS_NAMES) -> Rule:
    """Read a rule.

    Args:
        text: as a person writes it.
        names: the model's classes.

    Raises:
        ValueError: not a rule; the message is one line that says what is.

    >>> parse_rule("without_mask >= 3")
    Rule(subject='without_mask', comparison='>=', number=3.0)
    """
    parts = _PATTERN.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is not a rule: write a name, one of {' '.join(COMPARISONS)}, and a number")
    subject, number = parts["subject"], float(parts["number"])
    if subject not in (*names, *SUBJECTS):
        raise ValueError(f"{text!r}: {subject} is none of {', '.join([*names[:20], *SUBJECTS])}")
    if subject == "compliance" and number > 1:
        raise ValueError(f"{text!r}: compliance is a share from 0 to 1, such as 0.8")
    return Rule(subject, parts["comparison"], number)


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that held, and where."""

    rule: Rule
    value: float
    result: MaskResult

    def __str__(self) -> str:
        """Return one line for people."""
        image = self.result.image
        frame = "" if image.frame is None else f", frame {image.frame}"
        return f"alert: {self.rule} ({self.rule.subject} is {self.value:.4g}) in {image.path or 'picture'}{frame}"

    def to_dict(self) -> dict[str, Any]:
        """Return the result in the ``maskdet/1`` schema, with the rule and the figure beside it under ``alert``."""
        return {**self.result.to_dict(), "alert": {"rule": str(self.rule), "value": round(self.value, 4)}}
