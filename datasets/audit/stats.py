"""Counting a data set: class balance and box sizes, as numbers and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_COLOURS
from maskdet.datasets.audit.findings import PartCount, count_parts
from maskdet.datasets.photos.photo import Photo
from maskdet.extras import require

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
    """Count photos, boxes and box sizes.

    Args:
        photos: at least one.
        names: class names, index = class id.
    """
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
    from maskdet.imaging.figure import png

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
