"""``maskdet detect``: pictures and videos in, a table, JSON, CSV and annotated pictures and videos out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR, EXIT_MATCHED
from maskdet.cli.open_models import open_classifier, open_detector
from maskdet.cli.options.alerts import alert_options, open_alerts
from maskdet.cli.options.model import device_options, look_options, precision_option, trust_option
from maskdet.cli.options.outputs import output_options
from maskdet.cli.options.strict import strict_option
from maskdet.cli.options.tracks import open_tracker, report_people, track_options
from maskdet.cli.options.types import ConfidenceType, check_classes, class_list
from maskdet.cli.start_up import collector_paused
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.detector.inference.thresholds import Threshold
    from maskdet.sessions.choice import Precision, RuntimeName
    from maskdet.writers.targets import Targets


@click.command()
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True)
@click.option(
    "--mode",
    type=click.Choice(["detect", "chain", "compare"]),
    default="detect",
    show_default=True,
    help="The detector alone; with the classifier in one answer; or both answers side by side.",
)
@click.option("--weights", metavar="FILE", help="An .onnx or .pt model, an OpenVINO folder, or a shipped one's name.")
@click.option("--classifier", "classifier_weights", metavar="FILE", help="The classifier of chain and compare.")
@click.option(
    "--conf",
    type=ConfidenceType(),
    default=0.25,
    show_default=True,
    help="Confidence threshold; f1 for the model's own, one a class.",
)
@click.option("--iou", type=click.FloatRange(0, 1), default=0.7, show_default=True, help="IoU threshold of NMS.")
@click.option("--imgsz", type=click.IntRange(32, 8192), help="Longer side of the network's input, in pixels.")
@click.option("--agnostic-nms", is_flag=True, help="Report a face once, though two classes answer.")
@device_options
@precision_option
@trust_option
@click.option("--batch", type=click.IntRange(1, 256), default=1, show_default=True, help="Pictures run at once.")
@click.option("--vid-stride", type=click.IntRange(1), default=1, show_default=True, help="Use every n-th frame only.")
@output_options
@click.option("--show", is_flag=True, help="Show them in a window; q or Esc ends.")
@click.option(
    "--fail-on", metavar="CLASS,…", callback=class_list, help="Exit with 1 if a face of these classes is found."
)
@click.option("--tile", is_flag=True, help="Look at large pictures in tiles too, for small faces (slower).")
@click.option("--tile-size", type=click.IntRange(32, 8192), help="Side of a tile, in pixels; switches --tile on.")
@look_options
@track_options
@alert_options
@strict_option
@click.option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")
def detect(
    sources: tuple[str, ...],
    mode: Any,
    weights: str | None,
    classifier_weights: str | None,
    conf: Threshold,
    iou: float,
    imgsz: int | None,
    agnostic_nms: bool,
    device: str,
    runtime: RuntimeName,
    precision: Precision,
    trust_weights: bool,
    batch: int,
    vid_stride: int,
    targets: Targets,
    show: bool,
    fail_on: frozenset[str],
    tile: bool,
    tile_size: int | None,
    close_ups: bool | None,
    augment: bool,
    track_faces: bool,
    tracks_target: str | None,
    alert_rules: tuple[str, ...],
    alert_cooldown: float,
    alert_run: str | None,
    alert_post: str | None,
    strict: bool,
    quiet: bool,
) -> int:
    """Find the faces in pictures and videos and say how each wears its mask.

    SOURCE is a picture, a video, a folder (searched through) or a glob pattern of these, the address of a picture,
    video or stream (http://, https://, rtsp://, …), the index of a webcam, a .txt file of names, one a line, or - for a
    picture on standard input; give as many as you like, a webcam or stream last. What cannot be read is named on
    standard error, the rest is done all the same, and the exit code is 2. Ctrl-C ends a run cleanly: what was done
    until then is written.
    """
    show_table = not quiet and not targets.to_stdout
    if classifier_weights is not None and mode == "detect":
        raise click.UsageError("--classifier belongs to --mode chain or compare")

    pause = click.get_current_context().with_resource(ExitStack())
    pause.enter_context(collector_paused())
    from maskdet.cli.detect_run import ErrorLog, Task, one_photo, threads_for
    from maskdet.cli.source_search import find_sources

    targets = replace(targets, tracks=tracks_target)
    tracker = open_tracker(track_faces, tracks_target)
    errors = ErrorLog()
    found = find_sources(sources, errors, writes_to=(targets.pictures, targets.crops), strict=strict, quiet=quiet)
    if not found:
        return EXIT_ERROR

    from maskdet.files.guard import Guard
    from maskdet.prediction.predictors import choose_predictor
    from maskdet.sources.places.files import files_among
    from maskdet.writers.outputs import Outputs, check_targets

    guard = Guard([*sources, weights, classifier_weights], files_among(found))
    check_targets(targets, guard)

    detector = open_detector(
        weights=weights,
        conf=conf,
        iou=iou,
        imgsz=imgsz,
        agnostic_nms=agnostic_nms,
        tile=tile_size or tile,
        close_ups=close_ups,
        augment=augment,
        device=device,
        threads=threads_for(found),
        runtime=runtime,
        precision=precision,
        trust_weights=trust_weights,
    )
    check_classes("--fail-on", fail_on, detector.names)
    alerts = open_alerts(alert_rules, cooldown=alert_cooldown, command=alert_run, url=alert_post, names=detector.names)
    classifier = None
    if mode != "detect":
        classifier = open_classifier(classifier_weights, device=device, runtime=runtime)
    if not one_photo(found):  # after one the process ends: nothing to collect in between
        pause.close()
    outputs = Outputs(targets, errors.report, guard)
    task = Task(
        found,
        choose_predictor(mode, detector, classifier),
        outputs,
        errors,
        batch=batch,
        vid_stride=vid_stride,
        wanted=fail_on,
        tracker=tracker,
        alerts=alerts,
    )
    outcome = task.run(show=show, keep_tally=show_table, quiet=quiet)
    if show_table:
        outcome.print_tables()
        if targets.pictures and outputs.painted:
            say(f"{outputs.painted} with boxes: {Path(targets.pictures)}")
            if outputs.in_old_codec:
                say(
                    "note: videos in MPEG-4 Part 2, without sound, which browsers do not play: pip install av for H.264"
                )
    report_people(tracker, tracks_target, show=show_table)
    if outcome.interrupted:
        raise click.Abort
    return EXIT_ERROR if errors.any else EXIT_MATCHED if outcome.matched else EXIT_DONE
