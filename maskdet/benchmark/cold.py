"""One photo from a cold start, and the help page: what a person waits for."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from maskdet.benchmark import commands
from maskdet.benchmark.detectors import find_detector
from maskdet.benchmark.inputs import originals
from maskdet.benchmark.runs import alternate
from maskdet.benchmark.section import Column, Row, Section, Settings

COLUMNS = (
    Column("wall_s", "wall, s"),
    Column("cpu_s", "CPU, s"),
    Column("peak_mb", "peak MB", 0),
    Column("times_faster", "times faster", 1, "≥ 10, help ≥ 20"),
    Column("memory_share", "memory / yolo's", 2, "≤ 0.2"),
)


def measure_cold(settings: Settings, folder: Path) -> Section:
    """Measure ``maskdet detect PHOTO`` beside ``yolo predict`` on the same weights, and both help pages."""
    detector = find_detector(settings)
    photo = originals(settings.source, folder / "originals", 1)[0].resolve()
    ours = {
        "maskdet detect": commands.maskdet("detect", photo, *detector.options, "--save", folder / "out"),
        "maskdet --help": commands.maskdet("--help"),
    }
    theirs = {
        "yolo predict": commands.yolo(*detector.yolo_words(photo, folder / "runs")),
        "yolo help": commands.yolo("help"),
    }
    there = settings.yolo and commands.yolo_is_there()
    pairs = dict(zip(ours, theirs, strict=True))
    chosen = ours | (theirs if there else {})

    ways = {name: partial(command.figures, folder) for name, command in chosen.items()}
    rounds = alternate(
        ways, settings.runs, optional=theirs, label="cold", quiet=settings.quiet, warm_up=settings.warm_up
    )
    rows = []
    for mine, other in pairs.items():
        faster, share = rounds.ratio(other, mine, "wall_s"), rounds.ratio(mine, other, "peak_mb")
        rows.append(Row.of(rounds, mine, ours[mine].shown, times_faster=faster, memory_share=share))
        if there:
            rows.append(Row.of(rounds, other, theirs[other].shown))
        elif settings.yolo:
            rows.append(Row(other, note=commands.NOT_INSTALLED))
    title = f"One photo from a cold start, {detector.name} at {detector.imgsz} px, and the help page"
    notes = ("both write the picture with its boxes; disk caches are warm, the program starts anew each time.",)
    return Section("cold", title, COLUMNS, tuple(rows), notes)
