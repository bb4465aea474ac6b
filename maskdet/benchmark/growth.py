"""Twice as many: photos for ``maskdet detect``, files for ``maskdet convert`` beside a plain script.

The time must grow with the files, the memory must not.
"""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

from maskdet.benchmark import commands
from maskdet.benchmark.commands import Command
from maskdet.benchmark.detectors import find_detector
from maskdet.benchmark.folder import measure_pair
from maskdet.benchmark.inputs import originals, photo_folder, voc_samples, write_voc
from maskdet.benchmark.runs import Rounds, Sample, Way, alternate
from maskdet.benchmark.section import Column, Row, Section, Settings

SIZE_PHOTOS = (50, 100, 200)

SIZE_COLUMNS = (
    Column("wall_s", "all, s"),
    Column("steady_s", "steady, s"),
    Column("each_ms", "each, ms", 1),
    Column("cpu_s", "CPU, s"),
    Column("peak_mb", "peak MB", 0),
    Column("time_doubled", "time, twice as many", 2, "≈ 2"),
    Column("memory_doubled", "memory, twice as many", 2, "≈ 1"),
)


def per_doubling(growth: float, times: float) -> float:
    """Return by how much something grows with twice as many photos, when it grew by ``growth`` with ``times`` as many.

    >>> per_doubling(9.0, 4.0)
    3.0
    """
    return float(growth ** (1 / math.log2(times)))


def measure_size(settings: Settings, folder: Path) -> Section:
    """Measure ``maskdet detect FOLDER --json`` on folders of growing size."""
    detector = find_detector(settings)
    sizes = settings.sizes or SIZE_PHOTOS
    photos = originals(settings.source, folder / "originals", max(sizes))
    out = folder / "faces.jsonl"

    def command(count: int, name: str) -> Command:
        source = photo_folder(folder / name, photos, count)
        return commands.maskdet("detect", source, *detector.options, "--json", out, "--quiet")

    one = command(1, "one")
    of_size = {count: command(count, f"photos-{count}") for count in sizes}

    names = {count: f"{count} photos" for count in sizes}
    ways: dict[str, Way] = {names[count]: partial(measure_pair, of_size[count], one, count, folder) for count in sizes}
    rounds = alternate(ways, settings.runs, label="size", quiet=settings.quiet, warm_up=settings.warm_up)
    rows = []
    for at, count in enumerate(sizes):
        before = sizes[at - 1] if at else None
        time, memory = (_doubled(rounds, names, count, before, figure) for figure in ("steady_s", "peak_mb"))
        rows.append(Row.of(rounds, names[count], of_size[count].shown, time_doubled=time, memory_doubled=memory))
    title = f"Folders of growing size, {detector.name} at {detector.imgsz} px, files to JSON"
    notes = ("the last two columns compare with the row above, and say what twice as many photos would bring.",)
    return Section("size", title, SIZE_COLUMNS, tuple(rows), notes)


def _doubled(rounds: Rounds, names: dict[int, str], count: int, before: int | None, figure: str) -> float | None:
    if before is None:
        return None
    growth = rounds.ratio(names[count], names[before], figure)
    return None if growth is None else per_doubling(growth, count / before)


#: Ten and a hundred times the public data set are 8,530 and 85,300.
CONVERTER_FILES = (853, 8_530)

CONVERTER_COLUMNS = (
    Column("wall_s", "wall, s"),
    Column("file_ms", "a file, ms", 3),
    Column("cpu_s", "CPU, s"),
    Column("peak_mb", "peak MB", 0),
    Column("times_faster", "times faster", 2, "≥ 2"),
    Column("time_doubled", "time, twice as many", 2, "≈ 2"),
    Column("memory_doubled", "memory, twice as many", 2, "≈ 1"),
)

CONVERTER_NOTES = (
    "maskdet convert runs with --no-duplicates: a data set made by repetition is all duplicates. It still checks every "
    "picture and box, keeps groups together and writes the audit; the plain script does none of that, and reads only "
    "the pictures' headers. Both link the pictures.",
    "maskdet convert takes a process a core for large data sets; peak MB is that of the largest one. The last two "
    "columns compare with the size before, and say what twice as many files would bring.",
)


def measure_converter(settings: Settings, folder: Path) -> Section:
    """Measure both converters on data sets of each size."""
    sizes = settings.sizes or CONVERTER_FILES
    samples = voc_samples(settings.voc, folder / "originals", max(sizes))
    rows: list[Row] = []
    before: dict[str, Row] = {}
    for count in sizes:
        place = folder / f"size-{count}"
        voc, out = write_voc(place / "voc", samples, count), place / "out"
        tools = {
            f"maskdet convert, {count:,} files": commands.maskdet("convert", voc, out, "--no-duplicates", "--quiet"),
            f"plain script, {count:,} files": commands.module("maskdet.benchmark.plain_convert", voc, out),
        }
        ways = {name: _converter_way(command, place, out, count) for name, command in tools.items()}
        rounds = alternate(
            ways, settings.runs, label=f"converter {count:,}", quiet=settings.quiet, warm_up=settings.warm_up
        )
        ours, plain = tools
        faster = {ours: rounds.ratio(plain, ours, "wall_s"), plain: None}
        for kind, name in {"ours": ours, "plain": plain}.items():
            growth = _growth(before.get(kind), rounds.medians(name), count)
            row = Row.of(rounds, name, tools[name].shown, times_faster=faster[name], **growth)
            before[kind] = row
            rows.append(row)
    which = "generated" if settings.voc is None else settings.voc.resolve().name
    return Section("converter", f"Pascal VOC to YOLO, {which} data", CONVERTER_COLUMNS, tuple(rows), CONVERTER_NOTES)


def _growth(before: Row | None, figures: Sample, count: int) -> dict[str, float | None]:
    """Return what twice as many files bring in time and memory, from this size and the one before."""
    if before is None or "peak_mb" not in figures:
        return {}
    times = count / before.figures["files"]
    return {
        "time_doubled": per_doubling(figures["wall_s"] / before.figures["wall_s"], times),
        "memory_doubled": per_doubling(figures["peak_mb"] / before.figures["peak_mb"], times),
    }


def _converter_way(command: Command, folder: Path, out: Path, count: int) -> Way:
    def run() -> Sample:
        # Put aside, not removed: for seconds after a removal, ext4 searches past all that was freed before it makes
        # a file, and the tool that happens to run then would pay for it.
        if out.exists():
            out.rename(folder / f"earlier-{len(list(folder.iterdir()))}")
        figures = command.figures(folder)
        return figures | {"file_ms": figures["wall_s"] / count * 1000, "files": count}

    return run
