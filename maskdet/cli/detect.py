"""``maskdet detect``: pictures in, a table, JSON, CSV and annotated pictures out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR, EXIT_MATCHED
from maskdet.cli.output_options import output_options

if TYPE_CHECKING:
    from maskdet.errors import MaskdetError
    from maskdet.results import MaskResult
    from maskdet.sources import PictureFile
    from maskdet.writers.targets import Targets


@click.command()
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True)
@click.option("--weights", metavar="FILE", help="An .onnx or .pt model, or the name of a shipped one.")
@click.option("--conf", type=click.FloatRange(0, 1), default=0.25, show_default=True, help="Confidence threshold.")
@click.option("--iou", type=click.FloatRange(0, 1), default=0.7, show_default=True, help="IoU threshold of NMS.")
@click.option("--imgsz", type=click.IntRange(32, 8192), help="Longer side of the network's input, in pixels.")
@click.option("--agnostic-nms", is_flag=True, help="Report a face once, though two classes answer.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or the index of a GPU.")
@click.option("--batch", type=click.IntRange(1, 256), default=1, show_default=True, help="Pictures run at once.")
@output_options
@click.option("--fail-on", metavar="CLASS,…", help="Exit with 1 if a face of these classes is found.")
@click.option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")
def detect(
    sources: tuple[str, ...],
    weights: str | None,
    conf: float,
    iou: float,
    imgsz: int | None,
    agnostic_nms: bool,
    device: str,
    batch: int,
    targets: Targets,
    fail_on: str | None,
    quiet: bool,
) -> int:
    """Find the faces in pictures and say how each wears its mask.

    SOURCE is a picture, a folder (searched through) or a glob pattern; give as many as you like. What cannot be read
    is named on standard error, the rest is done all the same, and the exit code is 2.
    """
    wanted = _parse_classes(fail_on)
    show_table = not quiet and not targets.to_stdout

    errors = ErrorLog()
    files = _find_all(sources, errors)
    if not files:
        return EXIT_ERROR

    from maskdet.detector.model import MaskDetector
    from maskdet.pipeline import detect_files
    from maskdet.progress import track
    from maskdet.writers.outputs import Outputs
    from maskdet.writers.table import print_results

    try:
        detector = MaskDetector(weights, conf=conf, iou=iou, imgsz=imgsz, agnostic_nms=agnostic_nms, device=device)
    except ValueError as error:
        raise click.UsageError(str(error)) from error

    shown: list[MaskResult] = []
    matched = False
    tracked = track(files, label="detect", quiet=quiet or len(files) == 1)
    with Outputs(targets, errors.report) as outputs:
        for picture, result in detect_files(tracked, detector, batch=batch, report=errors.report):
            outputs.write(picture, result)
            matched |= any(face.name in wanted for face in result.faces)
            if show_table:
                shown.append(result.without_pixels())
    if show_table:
        print_results(shown)
        if targets.pictures and shown:
            click.echo(f"pictures with boxes: {Path(targets.pictures)}", err=True)
    return EXIT_ERROR if errors.any else EXIT_MATCHED if matched else EXIT_DONE


class ErrorLog:
    """Prints each error as it comes, and remembers that there was one."""

    def __init__(self) -> None:
        """Start without errors."""
        self.any = False

    def report(self, error: MaskdetError) -> None:
        """Print one line on standard error."""
        self.any = True
        click.echo(f"error: {error}", err=True)


def _find_all(sources: tuple[str, ...], errors: ErrorLog) -> list[PictureFile]:
    from maskdet.errors import SourceError
    from maskdet.sources import find_files

    files: list[PictureFile] = []
    for source in sources:
        try:
            files += find_files(source)
        except SourceError as error:
            errors.report(error)
    return files


def _parse_classes(text: str | None) -> frozenset[str]:
    from maskdet.classes import CLASS_NAMES

    names = frozenset(part.strip() for part in (text or "").split(",") if part.strip())
    if unknown := names - set(CLASS_NAMES):
        raise click.UsageError(f"--fail-on {', '.join(sorted(unknown))}: the classes are {', '.join(CLASS_NAMES)}")
    return names
