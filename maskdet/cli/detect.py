"""``maskdet detect``: pictures and videos in, a table, JSON, CSV and annotated pictures and videos out."""

from __future__ import annotations

from pathlib import Path

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR, EXIT_MATCHED

#: Where annotated pictures and videos go when a person looks and names no folder.
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
@click.option("--vid-stride", type=click.IntRange(1), default=1, show_default=True, help="Use every n-th frame only.")
@click.option("--json", "json_target", metavar="FILE|-", help="Write JSON Lines, one object a picture or frame.")
@click.option("--csv", "csv_target", metavar="FILE|-", help="Write CSV, one row a face.")
@click.option(
    "--save", metavar="DIR", help=f"Write annotated pictures, videos.  [default: {DEFAULT_SAVE} beside a table]"
)
@click.option("--no-save", is_flag=True, help="Write no annotated pictures or videos.")
@click.option("--show", is_flag=True, help="Show them in a window; q or Esc ends.")
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
    vid_stride: int,
    json_target: str | None,
    csv_target: str | None,
    save: str | None,
    no_save: bool,
    show: bool,
    fail_on: str | None,
    quiet: bool,
) -> int:
    """Find the faces in pictures and videos and say how each wears its mask.

    SOURCE is a picture, a video, a folder (searched through) or a glob pattern of these, the address of a picture,
    video or stream (http://, https://, rtsp://, …), the index of a webcam, or - for a picture on standard input; give
    as many as you like, a webcam or stream last. What cannot be read is named on standard error, the rest is done all
    the same, and the exit code is 2. Ctrl-C ends a run cleanly: what was done until then is written.
    """
    wanted = _parse_classes(fail_on)
    if json_target == "-" and csv_target == "-":
        raise click.UsageError("--json - and --csv - cannot both write to standard output")
    if save and no_save:
        raise click.UsageError("--save and --no-save contradict each other")
    show_table = not quiet and "-" not in (json_target, csv_target)
    if not (save or no_save or quiet or json_target or csv_target):
        save = DEFAULT_SAVE

    from maskdet.cli.detect_run import ErrorLog, Task, find_sources

    errors = ErrorLog()
    found = find_sources(sources, errors)
    if not found:
        return EXIT_ERROR

    from maskdet.detector.model import MaskDetector
    from maskdet.writers.outputs import Outputs

    try:
        detector = MaskDetector(weights, conf=conf, iou=iou, imgsz=imgsz, agnostic_nms=agnostic_nms, device=device)
    except ValueError as error:
        raise click.UsageError(str(error)) from error

    outputs = Outputs(json=json_target, csv=csv_target, pictures=save)
    task = Task(found, detector.detect_batch, outputs, errors, batch=batch, vid_stride=vid_stride, wanted=wanted)
    outcome = task.run(show=show, keep_tally=show_table, quiet=quiet)
    if show_table:
        outcome.print_tables()
        if save and outcome.tally.any:
            click.echo(f"{outcome.tally.kinds} with boxes: {Path(save)}", err=True)
    if outcome.interrupted:
        raise click.Abort
    return EXIT_ERROR if errors.any else EXIT_MATCHED if outcome.matched else EXIT_DONE


def _parse_classes(text: str | None) -> frozenset[str]:
    from maskdet.classes import CLASS_NAMES

    names = frozenset(part.strip() for part in (text or "").split(",") if part.strip())
    if unknown := names - set(CLASS_NAMES):
        raise click.UsageError(f"--fail-on {', '.join(sorted(unknown))}: the classes are {', '.join(CLASS_NAMES)}")
    return names
