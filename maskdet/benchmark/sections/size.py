"""More photos: the time must grow with them, the memory must not."""

from __future__ import annotations

import math
from pathlib import Path

from maskdet.benchmark.baselines import commands
from maskdet.benchmark.baselines.commands import Command
from maskdet.benchmark.measuring.pictures import originals, photo_folder
from maskdet.benchmark.measuring.process import measure
from maskdet.benchmark.measuring.rounds import Rounds, Sample, Way, alternate
from maskdet.benchmark.measuring.runtimes import find_detector
from maskdet.benchmark.measuring.section import MEMORY_DOUBLED, TIME_DOUBLED, Column, Row, Section, Settings
from maskdet.benchmark.sections.end_to_end import sample_of

SIZES = (50, 100, 200)

COLUMNS = (
    Column("wall_s", "all, s"),
    Column("steady_s", "steady, s"),
    Column("each_ms", "each, ms", 1),
    Column("cpu_s", "CPU, s"),
    Column("peak_mb", "peak MB", 0),
    Column("time_doubled", "time, twice as many", 2, TIME_DOUBLED),
    Column("memory_doubled", "memory, twice as many", 2, MEMORY_DOUBLED),
)


def per_doubling(growth: float, times: float) -> float:
    """Return by how much something grows with twice as many photos, when it grew by ``growth`` with ``times`` as many.

    >>> per_doubling(9.0, 4.0)
    3.0
    """
    return float(growth ** (1 / math.log2(times)))


def measure_size(settings: Settings, folder: Path) -> Section:
    """Measure ``maskdet detect FOLDER --json`` on folders of growing size.

    Raises:
        MaskdetError: the model or the photos cannot be used.
    """
    detector = find_detector(settings)
    sizes = settings.sizes or SIZES
    photos = originals(settings.source, folder / "originals", max(sizes))
    out = folder / "faces.jsonl"

    def command(count: int, name: str) -> Command:
        source = photo_folder(folder / name, photos, count)
        return commands.maskdet("detect", source, *detector.options, "--json", out, "--quiet")

    one = command(1, "one")
    of_size = {count: command(count, f"photos-{count}") for count in sizes}

    def way(count: int) -> Way:
        def run() -> Sample:
            first = measure(one.argv, folder, shown=one.shown).figures()
            many = measure(of_size[count].argv, folder, shown=of_size[count].shown).figures()
            return sample_of(many, first, count)

        return run

    names = {count: f"{count} photos" for count in sizes}
    ways = {names[count]: way(count) for count in sizes}
    rounds = alternate(ways, settings.runs, label="size", quiet=settings.quiet, warm_up=settings.warm_up)
    rows = []
    for at, count in enumerate(sizes):
        before = sizes[at - 1] if at else None
        time, memory = (_doubled(rounds, names, count, before, figure) for figure in ("steady_s", "peak_mb"))
        rows.append(Row.of(rounds, names[count], of_size[count].shown, time_doubled=time, memory_doubled=memory))
    title = f"Folders of growing size, {detector.name} at {detector.imgsz} px, files to JSON"
    notes = ("the last two columns compare with the row above, and say what twice as many photos would bring.",)
    return Section("size", title, COLUMNS, tuple(rows), notes)


def _doubled(rounds: Rounds, names: dict[int, str], count: int, before: int | None, figure: str) -> float | None:
    if before is None:
        return None
    growth = rounds.ratio(names[count], names[before], figure)
    return None if growth is None else per_doubling(growth, count / before)
