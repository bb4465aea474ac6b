"""How a command goes through its sources: how many at once, what it says, and what it ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from maskdet.cli.options import option


def class_list(_ctx: click.Context, _param: click.Parameter, value: str | None) -> frozenset[str]:
    """Turn ``with_mask,without_mask`` into a set of class names; a click callback. The model knows which there are."""
    return frozenset(part.strip() for part in (value or "").split(",") if part.strip())


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How sources are gone through."""

    batch: int = option(
        "--batch", type=click.IntRange(1, 256), default=1, show_default=True, help="Pictures run at once."
    )
    vid_stride: int = option(
        "--vid-stride", type=click.IntRange(1), default=1, show_default=True, help="Use every n-th frame only."
    )
    show: bool = option("--show", is_flag=True, help="Show them in a window; q or Esc ends.")
    fail_on: frozenset[str] = option(
        "--fail-on",
        metavar="CLASS,…",
        callback=class_list,
        empty=frozenset(),
        help="Exit with 1 if a face of these classes is found.",
    )
    strict: bool = option("--strict", is_flag=True, help="Take what is passed over for an error: exit with 2.")
    quiet: bool = option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")

    def check_classes(self, names: Sequence[str]) -> None:
        """Refuse names that are none of a model's classes.

        Raises:
            click.UsageError: ``--fail-on`` has one.
        """
        if unknown := self.fail_on - set(names):
            shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
            raise click.UsageError(f"--fail-on {', '.join(sorted(unknown))}: the classes are {shown}")
