"""The value of ``--conf``: a number from 0 to 1, or ``f1``."""

from __future__ import annotations

from typing import Any, Literal

import click


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
