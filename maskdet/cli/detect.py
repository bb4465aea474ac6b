"""``maskdet detect``: pictures in, a table, JSON, CSV and annotated pictures out."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR, EXIT_MATCHED
from maskdet.cli.alert_options import alert_options, open_alerts
from maskdet.cli.track_options import open_tracker, report_people, track_options

if TYPE_CHECKING:
    from maskdet.errors import MaskdetError
    from maskdet.results import MaskResult
    from maskdet.sources import PictureFile

#: Where annotated pictures go when a person looks and names no folder.
DEFAULT_SAVE = "maskdet-out"


@click.command()
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True)
@click.option("--weights", metavar="FILE", help="An .onnx or .pt model, or the name of a shipped one.")
@click.option("--conf", type=click.FloatRange(0, 1), default=0.25, show_default=True, help="Confidence threshold.")
@click.option("--iou", type=click.FloatRange(0, 1), default=0.7, show_default=True, help="IoU threshold of NMS.")
@click.option("--imgsz", type=click.IntRange(32, 8192), help="Longer side of the network's input, in pixels.")
@click.option("--agnostic-nms", is_flag=True, help="Report a face once, though two classes answer.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or the index of a GPU.")
@click.option("--batch", type=click.IntRange(1, 256), default=1, show_default=True, help="Pictures run at once.")
@click.option("--json", "json_target", metavar="FILE|-", help="Write JSON Lines, one object a picture.")
@click.option("--csv", "csv_target", metavar="FILE|-", help="Write CSV, one row a face.")
@click.option("--save", metavar="DIR", help=f"Write annotated pictures.  [default: {DEFAULT_SAVE} beside a table]")
@click.option("--no-save", is_flag=True, help="Write no pictures.")
@click.option("--fail-on", metavar="CLASS,…", help="Exit with 1 if a face of these classes is found.")
@click.option("--tile", is_flag=True, help="Look at large pictures in tiles too, for small faces (slower).")
@click.option("--tile-size", type=click.IntRange(32, 8192), help="Side of a tile, in pixels; switches --tile on.")
@track_options
@alert_options
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
    json_target: str | None,
    csv_target: str | None,
    save: str | None,
    no_save: bool,
    fail_on: str | None,
    tile: bool,
    tile_size: int | None,
    track_faces: bool,
    tracks_target: str | None,
    alert_rules: tuple[str, ...],
    alert_cooldown: float,
    alert_run: str | None,
    alert_post: str | None,
    quiet: bool,
) -> int:
    """Find the faces in pictures and say how each wears its mask.

    SOURCE is a picture, a folder (searched through) or a glob pattern; give as many as you like. What cannot be read
    is named on standard error, the rest is done all the same, and the exit code is 2.
    """
    wanted = _parse_classes(fail_on)
    if json_target == "-" and csv_target == "-":
        raise click.UsageError("--json - and --csv - cannot both write to standard output")
    if save and no_save:
        raise click.UsageError("--save and --no-save contradict each other")
    show_table = not quiet and "-" not in (json_target, csv_target)
    if not (save or no_save or quiet or json_target or csv_target):
        save = DEFAULT_SAVE

    tracker = open_tracker(track_faces, tracks_target)
    alerts = open_alerts(alert_rules, cooldown=alert_cooldown, command=alert_run, url=alert_post)
    errors = ErrorLog()
    files = _find_all(sources, errors)
    if not files:
        return EXIT_ERROR

    from maskdet.detector.model import MaskDetector
    from maskdet.errors import SourceError
    from maskdet.pipeline import detect_files
    from maskdet.progress import track
    from maskdet.writers.outputs import Outputs
    from maskdet.writers.table import print_results

    try:
        detector = MaskDetector(
            weights,
            conf=conf,
            iou=iou,
            imgsz=imgsz,
            agnostic_nms=agnostic_nms,
            tile=tile_size or tile,
            device=device,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error

    shown: list[MaskResult] = []
    matched = False
    tracked = track(files, label="detect", quiet=quiet or len(files) == 1)
    with alerts or nullcontext(), Outputs(json=json_target, csv=csv_target, pictures=save) as outputs:
        for picture, found in detect_files(tracked, detector, batch=batch, report=errors.report):
            result = tracker.update(found) if tracker else found
            if alerts:
                alerts.check(result)
            try:
                outputs.write(picture, result)
            except SourceError as error:
                errors.report(error)
            matched |= any(face.name in wanted for face in result.faces)
            if show_table:
                shown.append(result.without_pixels())
    if show_table:
        print_results(shown)
        if save and shown:
            click.echo(f"pictures with boxes: {Path(save)}", err=True)
    report_people(tracker, tracks_target, show=show_table)
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
