"""An option that takes class names, such as ``--fail-on``."""

from __future__ import annotations

import click


def class_list(_ctx: click.Context, param: click.Parameter, value: str | None) -> frozenset[str]:
    """Turn ``with_mask,without_mask`` into a set of class names; a click callback.

    Raises:
        UsageError: a name is no class.
    """
    from maskdet.classes import CLASS_NAMES

    names = frozenset(part.strip() for part in (value or "").split(",") if part.strip())
    if unknown := names - set(CLASS_NAMES):
        option = max(param.opts, key=len)
        raise click.UsageError(f"{option} {', '.join(sorted(unknown))}: the classes are {', '.join(CLASS_NAMES)}")
    return names
