"""Printing an audit and counts for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from maskdet.datasets.audit.findings import Audit, PartCount
from maskdet.datasets.audit.stats import Stats, side_titles
from maskdet.datasets.grouping.duplicates import PairKind
from maskdet.terminal.console import cell, console

#: What each kind of mend is, for people.
MEND_MEANINGS: dict[str, str] = {
    "swapped": "boxes with swapped corners",
    "clipped": "boxes clipped at the edge",
    "empty": "boxes without area, dropped",
    "repeated": "repeated boxes, dropped",
    "size": "missing or wrong picture sizes",
    "renamed": "class names in another spelling",
    "unknown": "boxes of unknown classes, left out",
    "turned": "photos turned by EXIF",
    "conflict": "boxes with two classes, kept",
    "scaled": "boxes scaled to the picture's size",
    "polygon": "polygons and turned boxes, kept as the boxes around them",
    "tiny": "boxes below one pixel, kept",
    "boxless": "objects without a box, left out",
    "astray": "boxes outside of any object, left out",
    "difficult": "boxes marked difficult, left out",
    "encoding": "files with unreadable characters",
    "picture": "pictures that training does not take as they are",
    "unlisted": "list lines that name no photo",
}
_ALIKE: dict[PairKind, str] = {
    "file": "the same file",
    "copy": "copies of one shot",
    "crop": "crops of one shot",
    "scene": "shots of one scene",
    "augmented": "augmented copies, by name",
}
#: Names shown of each kind before "…".
_SHOWN = 3


def print_audit(audit: Audit) -> None:
    """Print counts by part and class, mends, and alike photos to standard output."""
    screen = console()
    screen.print(count_table(audit.parts, audit.names))
    if audit.mends:
        screen.print(_mend_table(audit))
    if audit.pairs:
        screen.print(_pair_table(audit))
    notes = {
        "photos left out": [photo.file for photo in audit.left_out],
        "photos in no split list": list(audit.unlisted),
        "pictures without an annotation": list(audit.unannotated),
    }
    for text, names in notes.items():
        if names:
            screen.print(f"{len(names)} {text}: {_some(names)}", markup=False, soft_wrap=True)
    if audit.unknown:
        counts = [f"{name!r} ({count})" for name, count in audit.unknown.items()]
        screen.print(f"{len(counts)} unknown classes: {', '.join(counts)}", markup=False, soft_wrap=True)
    left_out = audit.mended.get("difficult", 0)
    if audit.difficult > left_out:
        screen.print(f"{audit.difficult - left_out} boxes are marked difficult and kept")


def print_stats(stats: Stats) -> None:
    """Print counts by part and class and the box sizes to standard output."""
    screen = console()
    screen.print(count_table(stats.parts, stats.names))
    table = Table("face side, px", box=None, header_style="bold")
    for title in (*side_titles(), "median", "share"):
        table.add_column(title, justify="right")
    total = max(1, sum(len(sides) for sides in stats.sides))
    for name, sides, counts in zip(stats.names, stats.sides, stats.side_counts().tolist(), strict=True):
        median = f"{np.median(sides):.0f}" if len(sides) else "–"
        table.add_row(cell(name), *(str(number) for number in counts), median, f"{len(sides) / total:.1%}")
    screen.print(table)
    screen.print(f"faces a photo: {stats.faces.mean():.1f} on average, {stats.faces.max()} at most")


def count_table(parts: Sequence[PartCount], names: Sequence[str]) -> Table:
    """Return the table of photos and boxes, a row for each part and the sum."""
    table = Table("part", box=None, header_style="bold")
    for title in ("photos", "background", *map(cell, names), "boxes"):
        table.add_column(title, justify="right", overflow="fold")
    rows = [(part.split, [part.photos, part.background, *part.boxes, sum(part.boxes)]) for part in parts]
    if len(rows) > 1:
        sums = [sum(column) for column in zip(*(numbers for _, numbers in rows), strict=True)]
        rows.append(("all", sums))
    for title, numbers in rows:
        table.add_row(cell(title), *(str(number) for number in numbers))
    return table


def _mend_table(audit: Audit) -> Table:
    table = Table("found", "", "for example", box=None, header_style="bold")
    for kind, number in audit.mended.items():
        files = list(dict.fromkeys(mend.file for mend in audit.mends if mend.kind == kind))
        table.add_row(str(number), MEND_MEANINGS[kind], _some(files))
    return table


def _pair_table(audit: Audit) -> Table:
    table = Table("pairs", "", "across parts", "for example", box=None, header_style="bold")
    numbers = Counter(pair.kind for pair in audit.pairs or ())
    leaks = Counter(pair.kind for pair in audit.leaks)
    for kind, meaning in _ALIKE.items():
        names = [
            f"{Path(pair.first).stem} = {Path(pair.second).stem}" for pair in audit.pairs or () if pair.kind == kind
        ]
        if names:
            table.add_row(str(numbers[kind]), meaning, str(leaks[kind]), _some(names))
    return table


def _some(names: list[str]) -> str:
    return ", ".join(map(cell, names[:_SHOWN])) + (", …" if len(names) > _SHOWN else "")
