"""``maskdet compare``: both answers on every face of any source, or scores where labels are at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR
from maskdet.cli.options import options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.options.run import RunOptions
from maskdet.terminal.console import say


@click.command()
@click.argument("sources", metavar="[SOURCE…]", nargs=-1)
@click.option("--data", metavar="DATA", help="Score on labels: a data.yaml, or a Pascal VOC folder.")
@click.option("--split", metavar="NAME", help="The split of --data.  [default: val]")
@click.option("--folds", is_flag=True, help="--data has folds; the names of both models have {fold} in them.")
@click.option(
    "--weights", metavar="FILE", help="The detector: .onnx, .pt, an OpenVINO folder, or a shipped one's name."
)
@click.option("--classifier", metavar="FILE", help="The classifier: .onnx, or a shipped one.")
@click.option("--conf", type=click.FloatRange(0, 1), default=0.25, show_default=True, help="Confidence threshold.")
@options("iou", model=ModelOptions)
@click.option("--imgsz", type=click.IntRange(32, 8192), help="Longer side of the detector's input, in pixels.")
@options("close_ups", "augment", "device", "runtime", "trust_weights", model=ModelOptions)
@click.option("--batch", type=click.IntRange(1, 256), help="Pictures run at once.  [default: 1, with --data 16]")
@options("vid_stride", run=RunOptions)
@click.option("--json", "json_target", metavar="FILE|-", help="Write JSON Lines; with --data, one object of figures.")
@click.option("--csv", "csv_target", metavar="FILE|-", help="Write CSV, one row a face with both answers.")
@click.option("--save", metavar="DIR", help="Write pictures of the disagreements; with --data of the figures.")
@options("strict", "quiet", run=RunOptions)
def compare(
    sources: tuple[str, ...],
    data: str | None,
    split: str | None,
    folds: bool,
    json_target: str | None,
    csv_target: str | None,
    save: str | None,
    *,
    model: ModelOptions,
    run: RunOptions,
) -> int:
    """Show where detector and classifier disagree; with labels at hand, score both and the two chained.

    \b
    maskdet compare photos/ --save out              both answers, and pictures of the faces they disagree on
    maskdet compare clip.mp4 --json faces.jsonl     as maskdet detect --mode compare writes it
    maskdet compare --data mydata/data.yaml         average precision and accuracy of each, with intervals
    maskdet compare --data my_voc_folder --json figures.json --save report
    maskdet compare --data folds --folds --weights runs/fold{fold}.onnx --classifier runs/classifier-fold{fold}.onnx

    SOURCE is whatever maskdet detect takes. --save writes the pictures and frames with a disagreement (on each such
    face the detector's colour outside, the classifier's inside) and one sheet of the faces, disagreements.png.

    --data needs the extra train. AP is COCO's from confidence 0.001 on, for the detector as it ships, and for detector
    and chain on the same boxes, one a face. The class is compared on the faces found above --conf at IoU 0.5, whatever
    class they got. Intervals: 95 %, from 1000 bootstrap samples of the photos. With --folds, on what
    `maskdet convert --folds` wrote, each fold is answered by a pair that has not seen it, and AP is the mean of folds.
    """
    if bool(sources) == (data is not None):
        raise click.UsageError("give either sources, or --data with labels" if data else "which SOURCE, or --data?")
    model = replace(model, mode="compare")
    if data is None:
        if split is not None or folds:
            raise click.UsageError(f"{'--folds' if folds else '--split'} belongs to --data")
        return _look(sources, json_target, csv_target, save, model=model, run=replace(run, batch=run.batch or 1))
    if csv_target is not None or run.vid_stride != 1:
        raise click.UsageError("--csv and --vid-stride belong to sources, not to --data")
    from maskdet.cli.compare_data import score_data, score_folds

    run = replace(run, batch=run.batch or 16)
    if folds:
        if split is not None or save is not None:
            raise click.UsageError("--split and --save have no meaning with --folds")
        score_folds(data, json_target, model=model, run=run)
    else:
        score_data(data, split, json_target, save, model=model, run=run)
    return EXIT_DONE


def _look(
    sources: tuple[str, ...],
    json_target: str | None,
    csv_target: str | None,
    save: str | None,
    *,
    model: ModelOptions,
    run: RunOptions,
) -> int:
    """Put both answers side by side on every face of the sources."""
    if json_target == csv_target == "-":
        raise click.UsageError("--json - and --csv - cannot both write to standard output")
    from maskdet.cli.detect_run import ErrorLog, Task, threads_for
    from maskdet.cli.source_search import find_sources

    errors = ErrorLog()
    found = find_sources(sources, errors, writes_to=(save,), strict=run.strict, quiet=run.quiet)
    if not found:
        return EXIT_ERROR

    from maskdet.chain.disagreements import SHEET, CompareOutputs
    from maskdet.files.guard import Guard
    from maskdet.sources.files import files_among

    guard = Guard([*sources, model.weights, model.classifier], files_among(found))
    guard.check_texts({"--json": json_target, "--csv": csv_target})
    guard.check_folders({"--save": save}, (json_target, csv_target))
    if save:
        guard.check_media(Path(save) / SHEET)
    detector = model.open_detector(threads=threads_for(found))
    predictor = model.predictor(detector)
    outputs = CompareOutputs(json_target, csv_target, save, errors.report, guard)
    outcome = Task(found, predictor, outputs, errors, run).run(keep_tally=False)
    if not run.quiet and "-" not in (json_target, csv_target):
        from maskdet.chain.agreement import print_agreement

        print_agreement(outputs.agreement)
    if save and outputs.pictures and outputs.pictures.pictures and not run.quiet:
        say(f"disagreements: {Path(save)}, {Path(save) / SHEET}")
    if outcome.interrupted:
        raise click.Abort
    return EXIT_ERROR if errors.any else EXIT_DONE
