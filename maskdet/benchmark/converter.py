"""``maskdet convert`` beside the converter that anybody would write."""

from __future__ import annotations

import shutil
from pathlib import Path

from maskdet.benchmark import commands
from maskdet.benchmark.commands import Command
from maskdet.benchmark.process import measure
from maskdet.benchmark.rounds import Sample, Way, alternate
from maskdet.benchmark.section import Column, Row, Section, Settings
from maskdet.benchmark.targets import CONVERTER_TIMES_FASTER
from maskdet.benchmark.voc_set import voc_samples, write_voc

#: Ten and a hundred times the public data set are 8,530 and 85,300.
SIZES = (853, 8_530)

COLUMNS = (
    Column("wall_s", "wall, s"),
    Column("file_ms", "a file, ms", 3),
    Column("cpu_s", "CPU, s"),
    Column("peak_mb", "peak MB", 0),
    Column("times_faster", "times faster", 2, CONVERTER_TIMES_FASTER),
)

NOTES = (
    "maskdet convert runs with --no-duplicates: a data set made by repetition is all duplicates. It still checks every "
    "picture and box, keeps groups together and writes the audit; the plain script does none of that, and reads only "
    "the pictures' headers. Both link the pictures.",
)


def measure_converter(settings: Settings, folder: Path) -> Section:
    """Measure both converters on data sets of each size.

    Raises:
        MaskdetError: the data set cannot be read, or a converter failed.
    """
    sizes = settings.sizes or SIZES
    samples = voc_samples(settings.voc, folder / "originals", max(sizes))
    rows: list[Row] = []
    for count in sizes:
        place = folder / f"size-{count}"
        voc, out = write_voc(place / "voc", samples, count), place / "out"
        tools = {
            f"maskdet convert, {count:,} files": commands.maskdet("convert", voc, out, "--no-duplicates", "--quiet"),
            f"plain script, {count:,} files": commands.module("maskdet.benchmark.plain_convert", voc, out),
        }
        ways = {name: _way(command, place, out, count) for name, command in tools.items()}
        rounds = alternate(
            ways, settings.runs, label=f"converter {count:,}", quiet=settings.quiet, warm_up=settings.warm_up
        )
        ours, plain = tools
        faster = rounds.ratio(plain, ours, "wall_s")
        rows.append(Row.of(rounds, ours, tools[ours].shown, times_faster=faster))
        rows.append(Row.of(rounds, plain, tools[plain].shown))
        shutil.rmtree(place)
    which = "generated" if settings.voc is None else settings.voc.resolve().name
    return Section("converter", f"Pascal VOC to YOLO, {which} data", COLUMNS, tuple(rows), NOTES)


def _way(command: Command, folder: Path, out: Path, count: int) -> Way:
    def run() -> Sample:
        shutil.rmtree(out, ignore_errors=True)
        figures = measure(command.argv, folder, shown=command.shown).figures()
        return figures | {"file_ms": figures["wall_s"] / count * 1000}

    return run
