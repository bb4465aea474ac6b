"""``maskdet convert`` beside the converter that anybody would write."""

from __future__ import annotations

from pathlib import Path

from maskdet.benchmark.baselines import commands
from maskdet.benchmark.baselines.commands import Command
from maskdet.benchmark.measuring.process import measure
from maskdet.benchmark.measuring.rounds import Sample, Way, alternate
from maskdet.benchmark.measuring.section import (
    CONVERTER_TIMES_FASTER,
    MEMORY_DOUBLED,
    TIME_DOUBLED,
    Column,
    Row,
    Section,
    Settings,
)
from maskdet.benchmark.measuring.voc_set import voc_samples, write_voc
from maskdet.benchmark.sections.size import per_doubling

#: Ten and a hundred times the public data set are 8,530 and 85,300.
SIZES = (853, 8_530)

COLUMNS = (
    Column("wall_s", "wall, s"),
    Column("file_ms", "a file, ms", 3),
    Column("cpu_s", "CPU, s"),
    Column("peak_mb", "peak MB", 0),
    Column("times_faster", "times faster", 2, CONVERTER_TIMES_FASTER),
    Column("time_doubled", "time, twice as many", 2, TIME_DOUBLED),
    Column("memory_doubled", "memory, twice as many", 2, MEMORY_DOUBLED),
)

NOTES = (
    "maskdet convert runs with --no-duplicates: a data set made by repetition is all duplicates. It still checks every "
    "picture and box, keeps groups together and writes the audit; the plain script does none of that, and reads only "
    "the pictures' headers. Both link the pictures.",
    "maskdet convert takes a process a core for large data sets; peak MB is that of the largest one. The last two "
    "columns compare with the size before, and say what twice as many files would bring.",
)


def measure_converter(settings: Settings, folder: Path) -> Section:
    """Measure both converters on data sets of each size.

    Raises:
        MaskdetError: the data set cannot be read, or a converter failed.
    """
    sizes = settings.sizes or SIZES
    samples = voc_samples(settings.voc, folder / "originals", max(sizes))
    rows: list[Row] = []
    before: dict[str, Row] = {}
    for count in sizes:
        place = folder / f"size-{count}"
        voc, out = write_voc(place / "voc", samples, count), place / "out"
        tools = {
            f"maskdet convert, {count:,} files": commands.maskdet("convert", voc, out, "--no-duplicates", "--quiet"),
            f"plain script, {count:,} files": commands.module("maskdet.benchmark.baselines.plain_convert", voc, out),
        }
        ways = {name: _way(command, place, out, count) for name, command in tools.items()}
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
    return Section("converter", f"Pascal VOC to YOLO, {which} data", COLUMNS, tuple(rows), NOTES)


def _growth(before: Row | None, figures: Sample, count: int) -> dict[str, float | None]:
    """Return what twice as many files bring in time and memory, from this size and the one before."""
    if before is None or "peak_mb" not in figures:
        return {}
    times = count / before.figures["files"]
    return {
        "time_doubled": per_doubling(figures["wall_s"] / before.figures["wall_s"], times),
        "memory_doubled": per_doubling(figures["peak_mb"] / before.figures["peak_mb"], times),
    }


def _way(command: Command, folder: Path, out: Path, count: int) -> Way:
    def run() -> Sample:
        # Put aside, not removed: for seconds after a removal, ext4 searches past all that was freed before it makes
        # a file, and the tool that happens to run then would pay for it.
        if out.exists():
            out.rename(folder / f"earlier-{len(list(folder.iterdir()))}")
        figures = measure(command.argv, folder, shown=command.shown).figures()
        return figures | {"file_ms": figures["wall_s"] / count * 1000, "files": count}

    return run
