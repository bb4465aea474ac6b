"""How often a picture is looked at: ``--close-ups`` and ``--augment``, the same for every command that detects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def look_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options; ``--close-ups`` not given is None: as the model asks."""
    close_ups = click.option(
        "--close-ups/--no-close-ups",
        default=None,
        help="See each picture once more at a small input, for faces that fill it.  [default: as the model asks]",
    )
    augment = click.option(
        "--augment",
        is_flag=True,
        help="See each picture also mirrored and smaller, and fuse what is found (more accurate, 3.4 times the work).",
    )
    return close_ups(augment(command))
