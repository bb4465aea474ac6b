"""``maskdet detect``: pictures and videos in, a table, JSON, CSV and annotated pictures and videos out."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from maskdet.cli import EXIT_ERROR
from maskdet.cli.options import options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.options.outputs import AlertOptions, OutputOptions, TrackOptions
from maskdet.cli.options.run import RunOptions
from maskdet.cli.start_up import collector_paused
from maskdet.terminal.console import say

#: How the help begins; what is asked for less often stands further down.
SHOWN_FIRST: Final = (
    "quality", "mode", "weights", "classifier", "conf", "iou", "imgsz", "agnostic_nms", "device", "runtime",
    "precision", "trust_weights",
)  # fmt: skip
WRITTEN: Final = (
    "json", "csv", "coco", "pictures", "no_save", "txt", "txt_confidence", "voc", "crops", "overwrite",
)  # fmt: skip


@click.command()
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True)
@options(*SHOWN_FIRST, model=ModelOptions)
@options("batch", "vid_stride", run=RunOptions)
@options(*WRITTEN, outputs=OutputOptions)
@options("show", "fail_on", run=RunOptions)
@options("tile", "tile_size", "close_ups", "augment", model=ModelOptions)
@options(tracks=TrackOptions)
@options(alerts=AlertOptions)
@options("strict", "quiet", run=RunOptions)
def detect(
    sources: tuple[str, ...],
    *,
    model: ModelOptions,
    run: RunOptions,
    outputs: OutputOptions,
    tracks: TrackOptions,
    alerts: AlertOptions,
) -> int:
    """Find the faces in pictures and videos and say how each wears its mask.

    SOURCE is a picture, a video, a folder (searched through) or a glob pattern of these, the address of a picture,
    video or stream (http://, https://, rtsp://, …), the index of a webcam, a .txt file of names, one a line, or - for a
    picture on standard input; give as many as you like, a webcam or stream last. What cannot be read is named on
    standard error, the rest is done all the same, and the exit code is 2. Ctrl-C ends a run cleanly: what was done
    until then is written.
    """
    targets = outputs.settled(tracks=tracks.tracks, quiet=run.quiet)
    show_table = not run.quiet and not targets.to_stdout
    model.check()
    model = model.settled()

    pause = click.get_current_context().with_resource(ExitStack())
    pause.enter_context(collector_paused())
    from maskdet.cli.source_run import ErrorLog, find_sources, one_photo, run_sources, threads_for

    tracker = tracks.open()
    errors = ErrorLog()
    found = find_sources(sources, errors, run, writes_to=(targets.pictures, targets.crops))
    if not found:
        return EXIT_ERROR

    from maskdet.files.guard import Guard
    from maskdet.sources.files import files_among
    from maskdet.writers.outputs import Outputs, check_targets

    guard = Guard([*sources, model.weights, model.classifier], files_among(found))
    check_targets(targets, guard)

    detector, predictor = model.open(threads=threads_for(found))
    run.check_classes(detector.names)
    monitor = alerts.open(detector.names)
    if not one_photo(found):  # after one the process ends: nothing to collect in between
        pause.close()
    writer = Outputs(targets, errors.report, guard)
    outcome = run_sources(found, predictor, writer, errors, run, tracker=tracker, alerts=monitor, keep_tally=show_table)
    if show_table:
        outcome.print_tables()
        if targets.pictures and writer.painted:
            say(f"{writer.painted} with boxes: {Path(targets.pictures)}")
            if writer.in_old_codec:
                say(
                    "note: videos in MPEG-4 Part 2, without sound, which browsers do not play: pip install av for H.264"
                )
    tracks.report(tracker, show=show_table)
    return outcome.exit_code(errors)
