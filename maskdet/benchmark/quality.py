"""The words of ``--quality`` as people type them, beside ``yolo predict``: a folder of photos to JSON."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import get_args

from maskdet.benchmark import commands
from maskdet.benchmark.detectors import find_detector
from maskdet.benchmark.inputs import originals, photo_folder
from maskdet.benchmark.runs import alternate
from maskdet.benchmark.section import Column, Row, Section, Settings
from maskdet.prediction.quality import Quality

COLUMNS = (
    Column("wall_s", "all, s"),
    Column("cpu_s", "CPU, s"),
    Column("peak_mb", "peak MB", 0),
    Column("times_yolo", "times yolo", 2, "standard ≥ 2.8, fast ≥ 7"),
)

_YOLO = "yolo predict"


def measure_quality(settings: Settings, folder: Path) -> Section:
    """Measure ``maskdet detect FOLDER --quality WORD --json`` for each word, on at most ``settings.limit`` photos."""
    detector = find_detector(settings)
    photos = originals(settings.source, folder / "originals", settings.limit)
    count = settings.limit if settings.source is None else len(photos)
    source = photo_folder(folder / "photos", photos, count)
    chosen = {
        word: commands.maskdet("detect", source, "--quality", word, "--json", folder / f"{word}.jsonl", "--quiet")
        for word in get_args(Quality)
    }
    there = settings.yolo and commands.yolo_is_there()
    if there:
        words = detector.yolo_words(source, folder / "runs", "save=False", "save_txt=True", "save_conf=True")
        chosen[_YOLO] = commands.yolo(*words)
    ways = {name: partial(command.figures, folder) for name, command in chosen.items()}
    rounds = alternate(
        ways, settings.runs, optional={_YOLO}, label="quality", quiet=settings.quiet, warm_up=settings.warm_up
    )
    rows = []
    for name, command in chosen.items():
        ratios = {} if name == _YOLO else {"times_yolo": rounds.ratio(_YOLO, name, "wall_s")}
        rows.append(Row.of(rounds, name, command.shown, **ratios))
    if settings.yolo and not there:
        rows.append(Row(_YOLO, note=commands.NOT_INSTALLED))
    title = f"{count} photos, files to JSON, by the words of --quality; yolo with {detector.name}"
    return Section("quality", title, COLUMNS, tuple(rows), ("from the start of Python to its end, models loaded.",))
