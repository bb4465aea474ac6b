"""The table of videos and streams: one line each, however many frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maskdet.results import count_compliant, sum_counts
from maskdet.terminal.console import cell, console
from maskdet.writers.fitting import add_class_columns, layout, print_fitting
from maskdet.writers.tally import ClipTally

if TYPE_CHECKING:
    from rich.table import Table


def print_clips(clips: Sequence[ClipTally]) -> None:
    """Print a line a video, and one for all of them; faces are counted once a frame."""
    if not clips:
        return
    screen = console()
    print_fitting(screen, lambda narrow: _table(clips, narrow))
    faces, frames = sum(clip.faces for clip in clips), sum(clip.frames for clip in clips)
    compliant = count_compliant(sum_counts(clip.counts for clip in clips))
    share = f", {compliant / faces:.0%} of them with a mask worn properly" if faces and compliant is not None else ""
    screen.print(f"{faces} sighting{'' if faces == 1 else 's'} of faces in {frames} frames{share}")


def _table(clips: Sequence[ClipTally], narrow: bool) -> Table:
    from rich.table import Table

    caption = "ms is the mean of a frame; faces are counted once a frame"
    table = Table(caption=caption, caption_justify="left", **layout(narrow))
    table.add_column("video", overflow="fold")
    table.add_column("frames", justify="right", no_wrap=True)
    add_class_columns(table, list(clips[0].counts), narrow)
    table.add_column("compl." if narrow else "compliance", justify="right", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    for clip in clips:
        compliance = "–" if clip.compliance is None else f"{clip.compliance:.0%}"
        counts = [str(count) if count else "·" for count in clip.counts.values()]
        pace = f"{clip.time_ms / clip.frames:.0f}" if clip.frames else "–"
        table.add_row(cell(clip.path), str(clip.frames), *counts, compliance, pace)
    return table
