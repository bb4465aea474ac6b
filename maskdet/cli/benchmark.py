"""``maskdet benchmark``: speed of every runtime and model on this machine."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import click

from maskdet.benchmark.section import BESIDE_YOLO, DEFAULT, SECTIONS, Settings, run_section
from maskdet.cli import EXIT_DONE
from maskdet.cli.options import options
from maskdet.cli.report_output import command_line, write_report
from maskdet.files.paths import real_path


def _names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Turn the value of ``--only`` into names of sections; a click callback."""
    if value is None:
        return DEFAULT
    names = [name.strip() for name in value.split(",") if name.strip()]
    if names == ["all"]:
        return tuple(SECTIONS)
    for name in names:
        if name not in SECTIONS:
            raise click.BadParameter(f"{name!r} is no section; choose from {', '.join(SECTIONS)}, or all")
    if not names:
        raise click.BadParameter(f"names no section; choose from {', '.join(SECTIONS)}, or all")
    return tuple(dict.fromkeys(names))


def _sizes(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Turn the value of ``--sizes`` into growing numbers; a click callback."""
    if value is None:
        return None
    try:
        sizes = tuple(sorted({int(word.replace("_", "")) for word in value.split(",")}))
    except ValueError:
        sizes = ()
    if not sizes or sizes[0] < 2:
        raise click.BadParameter(f"{value!r} is no list of whole numbers from 2, such as 50,100,200")
    return sizes


@click.command()
@click.argument("source", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--only", "names", metavar="NAME,…", callback=_names, help="Sections to run, or all (see above).")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Rounds; figures are medians.")
@click.option("--no-warm-up", is_flag=True, help="Leave the unmeasured round out: for runs that take hours.")
@click.option("--limit", type=click.IntRange(2), default=170, show_default=True, help="Most photos of folder.")
@click.option("--frames", type=click.IntRange(2), default=60, show_default=True, help="Frames of the generated video.")
@click.option("--sizes", metavar="N,…", callback=_sizes, help="Photos of size, files of converter.")
@click.option("--voc", type=click.Path(exists=True, path_type=Path), help="Pascal VOC data for converter.")
@click.option("--weights", metavar="FILE", help="The detector: .onnx, .pt, or the name of a shipped one.")
@click.option("--classifier", metavar="FILE", help="The classifier: .onnx, or the name of a shipped one.")
@click.option("--yolo-weights", metavar="FILE", help="What yolo predict runs.  [default: the same weights in torch]")
@click.option("--no-yolo", is_flag=True, help="Do not run yolo, even where ultralytics is installed.")
@click.option("--imgsz", type=click.IntRange(32, 8192), help="Longer side of the detector's input, in pixels.")
@click.option("--json", "json_target", metavar="FILE|-", help="Write every figure as one JSON object.")
@click.option("--quiet", is_flag=True, help="No tables, no progress: only what was asked for, and errors.")
@options(settings=Settings)
def benchmark(
    names: tuple[str, ...], json_target: str | None, no_warm_up: bool, no_yolo: bool, *, settings: Settings
) -> int:
    """Measure how fast maskdet runs on this machine, beside yolo where ultralytics is installed.

    \b
    cold        one photo from a cold start, and the help page
    folder      a folder of photos, files to JSON, beside the bare network
    video       a generated 1080p video to JSON, beside the bare network
    classifier  face crops, one and 16 at once
    converter   maskdet convert beside a plain script, 853 and 8,530 files
    size        50, 100 and 200 photos: time must double, memory must not

    Without --only the first four run. SOURCE is a folder of photos, or a photo, for cold, folder and size; without it
    pictures are generated. Everything that is compared runs in turn, each command in a process of its own, once
    unmeasured and then --runs times. Times are those of this machine at this moment, so compare within a table; a
    ratio is the median of the rounds' ratios.
    """
    if settings.sizes is not None and not {"converter", "size"} & set(names):
        raise click.UsageError("--sizes belongs to the sections converter and size: name them with --only")

    from maskdet.benchmark.detectors import check_rival, with_torch_twin
    from maskdet.benchmark.report import BenchmarkReport, this_machine
    from maskdet.files.guard import Guard

    settings = replace(settings, warm_up=not no_warm_up, yolo=not no_yolo)
    files = (settings.source, settings.voc, settings.weights, settings.classifier, settings.yolo_weights)
    Guard(files).check_texts({"--json": json_target})
    if json_target not in (None, "-") and not real_path(str(json_target)).parent.is_dir():
        raise click.UsageError(f"--json {json_target}: its folder does not exist")
    if settings.yolo_weights is not None and settings.yolo:
        check_rival(settings.yolo_weights)
    machine = this_machine()
    sections = []
    with with_torch_twin(settings) if set(names) & BESIDE_YOLO else nullcontext(settings) as settings:
        for name in names:
            try:
                section = run_section(name, settings)
            except ValueError as error:  # what MaskDetector says of a size that the network does not take
                raise click.UsageError(str(error)) from error
            sections.append(section)
            if not settings.quiet and json_target != "-":
                from maskdet.benchmark.report import print_section

                print_section(section, machine)
    if json_target is not None:
        report = BenchmarkReport(command_line({"json_target", "quiet"}, {"names"}), machine, settings.runs, sections)
        write_report(report.to_dict(), json_target)
    return EXIT_DONE
