"""Tables that fit the screen: the class columns give way before names of files do."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from maskdet.classes import CLASS_NAMES, meaning
from maskdet.results.draw import SHORT_NAMES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Of each class, by class id; those of other models' classes go round.
_STYLES: Final = ("green", "red", "yellow")
_OTHER_STYLES: Final = ("blue", "magenta", "cyan", "white")

#: Columns of a narrow heading.
_HEAD: Final = 8

#: Wider than any screen: what a table would like to have.
_ANY_WIDTH: Final = 10_000


def print_fitting(screen: Console, build: Callable[[bool], Table]) -> None:
    """Print a table as wide as it likes to be, or its narrow form where the screen has no room for that.

    Args:
        screen: where to.
        build: given whether it is to be narrow, returns the table.
    """
    wide = build(False)
    room = screen.options.update(max_width=_ANY_WIDTH)
    screen.print(wide if screen.measure(wide, options=room).maximum <= screen.width else build(True))


def layout(narrow: bool) -> dict[str, Any]:
    """Return how ``rich.table.Table`` is made, wide or narrow."""
    return {"padding": (0, 0)} if narrow else {}


def class_style(class_id: int, name: str) -> str:
    """Return the colour of a class: by what its name means, else one of others by its index."""
    known = meaning(name)
    return _OTHER_STYLES[class_id % len(_OTHER_STYLES)] if known is None else _STYLES[CLASS_NAMES.index(known)]


def class_label(name: str, narrow: bool) -> str:
    """Return how a class is called in a cell: by its name, or in short where there is a short name.

    >>> class_label("without_mask", narrow=True), class_label("helmet", narrow=True)
    ('no mask', 'helmet')
    """
    return SHORT_NAMES[CLASS_NAMES.index(name)] if narrow and name in CLASS_NAMES else name


def head(name: str, narrow: bool) -> str:
    r"""Return the heading of a class' column: its name, or that in short lines.

    >>> head("mask_weared_incorrect", narrow=True), head("with_helmet", narrow=True)
    ('worn\nwrong', 'with\nhelmet')
    """
    if not narrow:
        return name
    words = class_label(name, narrow).replace("_", " ").split()
    return "\n".join(line for word in words for line in textwrap.wrap(word, _HEAD)) or name


def add_class_columns(table: Table, names: Sequence[str], narrow: bool, footers: Sequence[str] | None = None) -> None:
    """Add a column a class, in its colour.

    Args:
        table: gets the columns.
        names: of the classes, index = class id.
        narrow: whether the headings are to take few columns.
        footers: what stands below.
    """
    for class_id, name in enumerate(names):
        footer = footers[class_id] if footers else ""
        table.add_column(head(name, narrow), footer, justify="right", style=class_style(class_id, name), no_wrap=True)
