"""Groups of options: a frozen dataclass says what there is, and a command gets one object for each group.

::

    @dataclass(frozen=True, kw_only=True)
    class RunOptions:
        batch: int = option("--batch", type=click.IntRange(1, 256), default=1, help="Pictures run at once.")

    @click.command()
    @options(run=RunOptions)
    def detect(*, run: RunOptions) -> int: ...
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import field, fields
from typing import Any

import click

Command = Callable[..., Any]

_GROUPS = "maskdet_option_groups"


def option(*names: str, empty: Any = None, **settings: Any) -> Any:
    """Return a field of a group, and the option that fills it.

    Args:
        names: as it is typed, such as ``--weights``.
        empty: the field where nothing is given and ``settings`` name no default.
        settings: of ``click.option``.
    """
    if settings.get("is_flag"):
        empty = False
    elif settings.get("multiple"):
        empty = ()
    return field(default=settings.get("default", empty), metadata={"option": (names, settings)})


def options(*names: str, **groups: type) -> Callable[[Command], Command]:
    """Add the options of groups to a command, which gets one object a group under the keyword given here.

    For options of one group that are shown apart, use it twice, each time with the fields meant. What a command adds
    itself under the name of a field (``click.option("--batch", …)`` with a help of its own) is the group's too, so that
    any dataclass can be a group; a field that it has no option for keeps its default.
    """

    def decorate(command: Command) -> Command:
        if not hasattr(command, _GROUPS):
            command = _gathering(command)
        getattr(command, _GROUPS).update(groups)
        for group in reversed(groups.values()):
            known = {item.name: item.metadata["option"] for item in fields(group) if "option" in item.metadata}
            for name in reversed(names or tuple(known)):
                flags, settings = known[name]
                command = click.option(*flags, name, **settings)(command)
        return command

    return decorate


def _gathering(command: Command) -> Command:
    """Return the command behind one that makes the objects."""
    groups: dict[str, type] = {}

    @functools.wraps(command)
    def call(*args: Any, **given: Any) -> Any:
        made = {}
        for keyword, group in groups.items():
            mine = {item.name for item in fields(group)} & given.keys()
            made[keyword] = group(**{name: given.pop(name) for name in mine})
        return command(*args, **given, **made)

    setattr(call, _GROUPS, groups)
    return call
