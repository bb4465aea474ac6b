"""Counting a data set, and printing counts and audits: class balance and box sizes as numbers, tables and a plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from maskdet.classes import CLASS_COLOURS
from maskdet.datasets.audit.check import Audit, PartCount, count_parts
from maskdet.datasets.grouping.duplicates import PairKind
from maskdet.datasets.grouping.folds import RANGES, FoldCount
from maskdet.datasets.photos.photo import MEND_MEANINGS, Photo
from maskdet.extras import require
from maskdet.terminal.console import cell, console

#: Upper limits of the face sides in pixels, side = √(width · height); the last bin is open.
SIDE_LIMITS: Final = (8, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True, eq=False)
class Stats:
    """Counts of a data set.

    Attributes:
        names: class names, index = class id.
        parts: photos and boxes part by part.
        sides: for each class (N_c,) float64, √(width · height) of its boxes in pixels.
        faces: (photos,) int64, boxes of each photo.
    """

    names: tuple[str, ...]
    parts: tuple[PartCount, ...]
    sides: tuple[NDArray[np.float64], ...]
    faces: NDArray[np.int64]

    def side_counts(self) -> NDArray[np.int64]:
        """Return (classes, 6) int64: boxes in each bin of ``SIDE_LIMITS``; a limit belongs to the bin above it."""
        edges = [0.0, *SIDE_LIMITS, np.inf]
        return np.stack([np.histogram(sides, edges)[0] for sides in self.sides]).astype(np.int64)


def side_titles() -> list[str]:
    """Return the bins of ``SIDE_LIMITS`` in words.

    >>> side_titles()
    ['<8', '8–16', '16–32', '32–64', '64–128', '≥128']
    """
    middle = [f"{low}–{high}" for low, high in pairwise(SIDE_LIMITS)]
    return [f"<{SIDE_LIMITS[0]}", *middle, f"≥{SIDE_LIMITS[-1]}"]


def count(photos: Sequence[Photo], names: Sequence[str]) -> Stats:
    """Count photos, boxes and box sizes of at least one photo."""
    ids = np.concatenate([photo.class_ids for photo in photos])
    boxes = np.concatenate([photo.boxes for photo in photos])
    sides = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    return Stats(
        names=tuple(names),
        parts=count_parts(photos, len(names)),
        sides=tuple(sides[ids == index] for index in range(len(names))),
        faces=np.array([len(photo.class_ids) for photo in photos], dtype=np.int64),
    )


def plot(stats: Stats, path: Path) -> None:
    """Draw class balance, box sizes and faces a photo into a PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
        DatasetError: its folder does not exist.
        SourceError: the file cannot be written.
    """
    require("matplotlib", what="the plot of `maskdet data stats`", extra="plots")
    from matplotlib.figure import Figure

    from maskdet.errors import DatasetError
    from maskdet.files.atomic import write_bytes
    from maskdet.imaging.encode import png

    colours = [_to_rgb(index) for index in range(len(stats.names))]
    figure = Figure(figsize=(13, 4), layout="constrained")
    balance, sizes, crowd = figure.subplots(1, 3)
    bottom = np.zeros(len(stats.parts))
    for index, name in enumerate(stats.names):
        heights = np.array([part.boxes[index] for part in stats.parts])
        balance.bar([part.split for part in stats.parts], heights, bottom=bottom, color=colours[index], label=name)
        bottom += heights
    balance.set(title="boxes by class", ylabel="boxes")
    figure.legend(loc="outside lower center", ncols=len(stats.names))
    top = max((float(sides.max()) for sides in stats.sides if len(sides)), default=1.0)
    bins = np.geomspace(1, max(top, 2.0), 40)
    sizes.hist(stats.sides, bins=bins, stacked=True, color=colours)
    sizes.set(title="face sides", xlabel="√(width · height) in pixels", ylabel="boxes", xscale="log")
    crowd.hist(stats.faces, bins=np.arange(int(stats.faces.max()) + 2) - 0.5, color="0.4")
    crowd.set(title="faces a photo", xlabel="faces", ylabel="photos", yscale="log")
    if not path.parent.is_dir():
        raise DatasetError(path, "cannot be written: its folder does not exist")
    write_bytes(path, png(figure))


def _to_rgb(index: int) -> tuple[float, float, float]:
    blue, green, red = CLASS_COLOURS[index % len(CLASS_COLOURS)]
    return red / 255, green / 255, blue / 255


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
    screen.print(fold_table(audit.folds, audit.names) if audit.folds else count_table(audit.parts, audit.names))
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


def fold_table(folds: Sequence[FoldCount], names: Sequence[str]) -> Table:
    """Return the table of what each fold holds, faces by class and by side, and the sum."""
    table = Table("part", box=None, header_style="bold")
    for title in ("groups", "photos", *map(cell, names), *(f"{title} px" for title in RANGES)):
        table.add_column(title, justify="right", overflow="fold")
    rows = [(fold.fold, [fold.groups, fold.photos, *fold.faces, *fold.sizes]) for fold in folds]
    rows.append(("all", [sum(column) for column in zip(*(numbers for _, numbers in rows), strict=True)]))
    for title, numbers in rows:
        table.add_row(cell(title), *map(str, numbers))
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
