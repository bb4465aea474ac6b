"""The tables that people read: faces, pictures, videos and crops; class columns give way before names of files do."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from maskdet.classes import CLASS_NAMES, compliance_of, meaning, sum_counts
from maskdet.results import MaskResult
from maskdet.results.draw import SHORT_NAMES
from maskdet.terminal.console import cell, console, named_errors
from maskdet.writers.tally import ClipTally

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Of each class; those of other models' classes go round.
CLASS_STYLES: Final = dict(zip(CLASS_NAMES, ("green", "red", "yellow"), strict=True))
_OTHER_STYLES: Final = ("blue", "magenta", "cyan", "white")

#: Columns of a narrow heading.
_HEAD: Final = 8

#: Wider than any screen: what a table would like to have.
_ANY_WIDTH: Final = 10_000


def print_fitting(screen: Console, build: Callable[[bool], Table]) -> None:
    """Print a table as wide as it likes to be, or narrow, ``build(True)``, where the screen has no room for that."""
    wide = build(False)
    room = screen.options.update(max_width=_ANY_WIDTH)
    screen.print(wide if screen.measure(wide, options=room).maximum <= screen.width else build(True))


def new_table(narrow: bool, **options: Any) -> Table:
    """Return an empty table, wide or narrow; ``options`` are those of ``rich.table.Table``."""
    from rich.table import Table

    return Table(padding=(0, 0) if narrow else (0, 1), **options)


def class_style(class_id: int, name: str) -> str:
    """Return the colour of a class: by what its name means, else one of others by its index."""
    known = meaning(name)
    return _OTHER_STYLES[class_id % len(_OTHER_STYLES)] if known is None else CLASS_STYLES[known]


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
    """Add a column a class, index = class id, in its colour; ``footers`` stand below."""
    for class_id, name in enumerate(names):
        footer = footers[class_id] if footers else ""
        table.add_column(head(name, narrow), footer, justify="right", style=class_style(class_id, name), no_wrap=True)


#: Classes that all have a column, met or not.
MOST_COLUMNS: Final = 6


def print_results(results: Sequence[MaskResult]) -> None:
    """Print faces one by one for a single picture, a summary line each for several."""
    if not results:
        return
    screen = console()
    counts = sum_counts(result.counts for result in results)
    faces, share = sum(counts.values()), compliance_of(counts)
    many = f" in {len(results)} pictures" if len(results) > 1 else ""
    proper = "" if share is None else f", {share:.0%} wear a mask properly"
    shown = counts if len(counts) <= MOST_COLUMNS else {name: count for name, count in counts.items() if count}
    each = ", ".join(f"{count} {name}" for name, count in shown.items())
    with named_errors("-"):
        if len(results) == 1:
            print_fitting(screen, lambda narrow: _faces_table(results[0], narrow))
        else:
            print_fitting(screen, lambda narrow: _pictures_table(results, narrow))
        screen.print(f"{faces} face{'' if faces == 1 else 's'}{many}{proper}" + (f": {each}" if faces else ""))


def _faces_table(result: MaskResult, narrow: bool) -> Table:
    image = result.image
    title = f"{cell(image.path or 'picture')}  {image.width}×{image.height}  {result.time_ms:.0f} ms"
    table = new_table(narrow, title=title, title_justify="left", title_style="bold")
    table.add_column("#", justify="right")
    table.add_column("class", overflow="fold", no_wrap=not narrow)
    table.add_column("conf." if narrow else "confidence", justify="right")
    table.add_column("box x1, y1, x2, y2 (px)", no_wrap=True)
    for number, face in enumerate(result.faces, 1):
        box = ", ".join(f"{value:.0f}" for value in face.box)
        label = cell(class_label(face.name, narrow))
        table.add_row(str(number), label, f"{face.confidence:.2f}", box, style=class_style(face.class_id, face.name))
    return table


def _pictures_table(results: Sequence[MaskResult], narrow: bool) -> Table:
    counts = sum_counts(result.counts for result in results)
    table = new_table(narrow, show_footer=True)
    table.add_column("picture", f"{len(results)} pictures", overflow="fold")
    # Of many classes those that were met have a column.
    names = [name for name, count in counts.items() if count or len(counts) <= MOST_COLUMNS]
    add_class_columns(table, names, narrow, [str(counts[name]) for name in names])
    table.add_column("faces", str(sum(counts.values())), justify="right", no_wrap=True)
    table.add_column(
        "compl." if narrow else "compliance", _percent(compliance_of(counts)), justify="right", no_wrap=True
    )
    table.add_column("ms", f"{sum(result.time_ms for result in results):.0f}", justify="right", no_wrap=True)
    for result in results:
        row = [str(count) if count else "·" for count in (*map(result.counts.__getitem__, names), len(result.faces))]
        table.add_row(cell(result.image.path), *row, _percent(result.compliance), f"{result.time_ms:.0f}")
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def print_clips(clips: Sequence[ClipTally]) -> None:
    """Print a line a video, and one for all of them; faces are counted once a frame."""
    if not clips:
        return
    screen = console()
    print_fitting(screen, lambda narrow: _clips_table(clips, narrow))
    faces, frames = sum(clip.faces for clip in clips), sum(clip.frames for clip in clips)
    share = compliance_of(sum_counts(clip.counts for clip in clips))
    proper = "" if share is None else f", {share:.0%} of them with a mask worn properly"
    screen.print(f"{faces} sighting{'' if faces == 1 else 's'} of faces in {frames} frames{proper}")


def _clips_table(clips: Sequence[ClipTally], narrow: bool) -> Table:
    caption = "ms is the mean of a frame; faces are counted once a frame"
    table = new_table(narrow, caption=caption, caption_justify="left")
    table.add_column("video", overflow="fold")
    table.add_column("frames", justify="right", no_wrap=True)
    add_class_columns(table, list(clips[0].counts), narrow)
    table.add_column("compl." if narrow else "compliance", justify="right", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    for clip in clips:
        counts = [str(count) if count else "·" for count in clip.counts.values()]
        pace = f"{clip.time_ms / clip.frames:.0f}" if clip.frames else "–"
        table.add_row(cell(clip.path), str(clip.frames), *counts, _percent(clip.compliance), pace)
    return table


def print_crops(results: Sequence[MaskResult]) -> None:
    """Print each crop's class and the probability of every class, then how many there are of each."""
    if not results:
        return
    screen = console()
    print_fitting(screen, lambda narrow: _crops_table(results, narrow))
    counts = [sum(result.counts[name] for result in results) for name in CLASS_NAMES]
    parts = ", ".join(f"{count} {name}" for count, name in zip(counts, CLASS_NAMES, strict=True) if count)
    screen.print(f"{len(results)} crop{'' if len(results) == 1 else 's'}: {parts}")


def _crops_table(results: Sequence[MaskResult], narrow: bool) -> Table:
    table = new_table(narrow)
    table.add_column("crop", overflow="fold")
    table.add_column("class", no_wrap=True)
    add_class_columns(table, CLASS_NAMES, narrow)
    table.add_column("ms", justify="right", no_wrap=True)
    for result in results:
        (face,) = result.faces
        probabilities = (face.classifier or {})["probabilities"].values()
        shares = [f"{probability:.3f}" for probability in probabilities]
        path = cell(result.image.path)
        label = f"[{class_style(face.class_id, face.name)}]{cell(class_label(face.name, narrow))}[/]"
        table.add_row(path, label, *shares, f"{result.time_ms:.1f}")
    return table
