"""Printing what a crop folder holds, for people."""

from __future__ import annotations

from rich.table import Table

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.crop_folder import CropSummary
from maskdet.classifier.crops.manifest import BINARY_LABELS
from maskdet.datasets.photos.photo import MEND_MEANINGS
from maskdet.terminal.console import console


def print_crop_summary(summary: CropSummary) -> None:
    """Print crops of each class, how they were cut, and what was mended, to standard output."""
    screen = console()
    total = sum(summary.faces)
    table = Table("class", box=None, header_style="bold")
    for title in ("crops", "share", "study's label"):
        table.add_column(title, justify="right")
    for name, count, label in zip(CLASS_NAMES, summary.faces, BINARY_LABELS, strict=True):
        table.add_row(name, str(count), f"{count / total:.1%}", "–" if label is None else str(label))
    table.add_row("all", str(total), "", f"{summary.binary} used")
    screen.print(table)
    crops = summary.crops
    shape = "square around the box's centre" if crops.square else "the box"
    size = f"resized to {crops.side}×{crops.side} px" if crops.side else "as large as in the photo"
    screen.print(f"cut: {shape}, margin {crops.margin:g}, {size}")
    screen.print(f"{summary.photos} photos read; {summary.groups} groups of crops, each for one side of a split")
    if summary.mends:
        mends = Table("mended", "", box=None, header_style="bold")
        for kind, number in summary.mends.items():
            mends.add_row(str(number), MEND_MEANINGS[kind])
        screen.print(mends)
    if summary.left_out:
        screen.print(f"{len(summary.left_out)} photos left out")
