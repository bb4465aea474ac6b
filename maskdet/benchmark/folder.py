"""Many pictures from files to JSON, of a folder or a video: ``maskdet detect`` beside ``yolo`` and the bare network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from maskdet.benchmark import commands
from maskdet.benchmark.commands import Command
from maskdet.benchmark.detectors import DetectorFile, RuntimeChoice, find_detector, runtimes_for, with_bfloat16
from maskdet.benchmark.inputs import originals, photo_folder, write_clip
from maskdet.benchmark.runs import Rounds, Sample, Way, alternate
from maskdet.benchmark.section import Column, Row, Section, Settings
from maskdet.sessions.processor import usable_cores

COLUMNS = (
    Column("wall_s", "all, s"),
    Column("start_s", "first one, s"),
    Column("steady_s", "steady, s"),
    Column("each_ms", "each, ms", 1),
    Column("cpu_s", "CPU, s"),
    Column("peak_mb", "peak MB", 0),
    Column("share_of_bare", "speed / bare model", 2, "≥ 0.9"),
    Column("times_fp32", "times FP32", 2, "INT8 ≥ 1.6"),
    Column("times_yolo", "times yolo", 2, "≥ 3, best ≥ 5"),
)

NOTES = (
    "all: from the start of Python to its end; first one: the same command on one picture; steady: all less first one, "
    "for as many pictures; speed / bare model compares steady times, with the bare model that also runs side by side; "
    "times FP32 compares steady times with float32 in the same runtime; times yolo compares all.",
    "nothing writes pictures: maskdet detect writes JSON, yolo predict labels (save=False save_txt=True).",
)


def steady_seconds(wall: float, start: float, count: int) -> float | None:
    """Return the seconds for ``count`` pictures without the start of the program.

    The first picture is in ``start``, the time for it alone; so the difference is the time of the others. None where
    chance made that no positive number, or there is only one picture.

    >>> steady_seconds(11.0, 2.0, 10)
    10.0
    """
    if count < 2 or wall <= start:
        return None
    return (wall - start) * count / (count - 1)


def measure_pair(many: Command, one: Command, count: int, folder: Path) -> Sample:
    """Measure a command on a single picture, then one on ``count`` pictures."""
    first = one.figures(folder)
    return sample_of(many.figures(folder), first, count)


def sample_of(many: Mapping[str, float], one: Mapping[str, float], count: int) -> Sample:
    """Join the figures of a run over ``count`` pictures and one over a single picture."""
    sample = {**many, "start_s": one["wall_s"]}
    steady = steady_seconds(many["wall_s"], one["wall_s"], count)
    return sample if steady is None else sample | {"steady_s": steady, "each_ms": steady / count * 1000}


def measure_end_to_end(
    name: str,
    title: str,
    settings: Settings,
    detector: DetectorFile,
    sources: tuple[Path, Path],
    count: int,
    folder: Path,
) -> Section:
    """Measure every runtime of ours, ``yolo predict``, and the network alone, in turn, on many pictures and on one."""
    commands_of: dict[str, tuple[Command, Command]] = {}
    ways: dict[str, Way] = {}
    bare_of: dict[str, str] = {}
    fp32_of: dict[str, str] = {}

    def add(way: str, many: Command, one: Command) -> None:
        commands_of[way], ways[way] = (many, one), partial(measure_pair, many, one, count, folder)

    for runtime in with_bfloat16(runtimes_for(detector.path)):
        model = replace(detector, path=runtime.int8 or detector.path)
        out = folder / f"{runtime.name}.jsonl"
        many, one = (
            commands.maskdet("detect", source, *model.options, *runtime.options, "--json", out, "--quiet")
            for source in sources
        )
        ours, limit = (f"{what} ({runtime.label})" for what in ("maskdet detect", "bare model"))
        add(ours, many, one)
        in_fp32 = runtime.label == runtime.name
        limits = {limit: ""} if in_fp32 else {}
        if runtime.name != "torch":  # which runs one picture after another
            limits[f"{limit}, side by side"] = "--side-by-side"
        for way, option in limits.items():
            alone = _bare_command(runtime, model, sources[0], *option.split())
            commands_of[way], bare_of[ours] = (alone, alone), way
            ways[way] = partial(_bare, alone, folder)
        if not in_fp32:
            fp32_of |= {way: way.replace(runtime.label, runtime.name) for way in (ours, *limits)}
    ours_first = next(iter(bare_of))
    rivals = _rivals(settings, detector, sources, folder)
    for way, (many, one) in rivals.items():
        add(way, many, one)
    rounds = alternate(ways, settings.runs, optional=rivals, label=name, quiet=settings.quiet, warm_up=settings.warm_up)
    rows = [
        _row(rounds, way, commands_of[way][0].shown, bare_of.get(way, bare_of[ours_first]), fp32_of.get(way))
        for way in ways
    ]
    if settings.yolo and not rivals:
        rows.append(Row("yolo predict", note=commands.NOT_INSTALLED))
    return Section(name, title, COLUMNS, tuple(rows), NOTES)


def _rivals(
    settings: Settings, detector: DetectorFile, sources: tuple[Path, Path], folder: Path
) -> dict[str, tuple[Command, Command]]:
    """Return ``yolo predict`` as it ships and with all cores, where it is there and wanted."""
    if not (settings.yolo and commands.yolo_is_there()):
        return {}
    # Its own folder: the name of ours is made up, and would stand in the command that is shown.
    out = folder / "runs"
    words = [detector.yolo_words(source, out, "save=False", "save_txt=True", "save_conf=True") for source in sources]
    cores = usable_cores()
    return {
        "yolo predict": (commands.yolo(*words[0]), commands.yolo(*words[1])),
        f"yolo predict, {cores} threads": (
            commands.yolo_all_cores(cores, *words[0]),
            commands.yolo_all_cores(cores, *words[1]),
        ),
    }


def _bare_command(runtime: RuntimeChoice, detector: DetectorFile, source: Path, *options: str) -> Command:
    words: tuple[str | Path, ...]
    words = (source, "--weights", detector.path, "--runtime", runtime.name, "--imgsz", str(detector.imgsz), *options)
    if runtime.precision != "fp32":
        words += ("--precision", runtime.precision)
    return commands.module("maskdet.benchmark.bare", *words)


def _bare(command: Command, folder: Path) -> Sample:
    said = json.loads(command.run(folder).output)
    return {"steady_s": said["seconds"], "each_ms": said["seconds"] / said["count"] * 1000}


def _row(rounds: Rounds, way: str, shown: str, limit: str, fp32: str | None) -> Row:
    ratios = {"share_of_bare": rounds.ratio(limit, way, "steady_s")}
    if fp32 is not None:
        ratios["times_fp32"] = rounds.ratio(fp32, way, "steady_s")
    if not way.startswith("yolo"):
        ratios["times_yolo"] = rounds.ratio("yolo predict", way, "wall_s")
    return Row.of(rounds, way, shown, **ratios)


def measure_folder(settings: Settings, folder: Path) -> Section:
    """Measure ``maskdet detect FOLDER --json`` on at most ``settings.limit`` photos."""
    detector = find_detector(settings)
    photos = originals(settings.source, folder / "originals", settings.limit)
    count = settings.limit if settings.source is None else len(photos)
    sources = photo_folder(folder / "photos", photos, count), photo_folder(folder / "photo", photos, 1)
    which = "generated photos" if settings.source is None else f"photos of {settings.source.resolve().name}"
    title = f"{count} {which}, {detector.name} at {detector.imgsz} px, files to JSON"
    return measure_end_to_end("folder", title, settings, detector, sources, count, folder)


def measure_video(settings: Settings, folder: Path) -> Section:
    """Measure ``maskdet detect CLIP --json`` on a generated video."""
    detector = find_detector(settings)
    sources = (
        write_clip(folder / "clip.mp4", settings.frames, settings.frame_size),
        write_clip(folder / "frame.mp4", 1, settings.frame_size),
    )
    width, height = settings.frame_size
    title = f"{settings.frames} frames of {width}×{height}, {detector.name} at {detector.imgsz} px, video to JSON"
    return measure_end_to_end("video", title, settings, detector, sources, settings.frames, folder)
