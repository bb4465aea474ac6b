"""Values of options: ``--conf`` is a number from 0 to 1 or ``f1``, ``--fail-on`` takes names of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import click


def class_list(_ctx: click.Context, _param: click.Parameter, value: str | None) -> frozenset[str]:
    """Turn ``with_mask,without_mask`` into a set of class names; a click callback. The model knows which there are."""
    return frozenset(part.strip() for part in (value or "").split(",") if part.strip())


def check_classes(option: str, wanted: frozenset[str], names: Sequence[str]) -> None:
    """Refuse names that are none of a model's classes.

    Raises:
        UsageError: one is.
    """
    if unknown := wanted - set(names):
        shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        raise click.UsageError(f"{option} {', '.join(sorted(unknown))}: the classes are {shown}")


class ConfidenceType(click.FloatRange):
    """A threshold, as ``MaskDetector(conf=…)`` takes it."""

    name = "float range or f1"

    def __init__(self) -> None:
        """Take numbers from 0 to 1."""
        super().__init__(0, 1)

    def convert(  # type: ignore[override]
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | Literal["f1"]:
        """Return the number, or the word itself."""
        if value == "f1":
            return "f1"
        number: float = super().convert(value, param, ctx)
        return number
