"""An option that takes class names, such as ``--fail-on``."""

from __future__ import annotations

from collections.abc import Sequence

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
