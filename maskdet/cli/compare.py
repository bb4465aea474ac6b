"""``maskdet compare``: both answers on every face of any source, or scores where labels are at hand."""

from __future__ import annotations

from pathlib import Path

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR
from maskdet.cli.open_models import open_classifier, open_detector
from maskdet.cli.options.model import device_options, look_options, trust_option
from maskdet.cli.options.strict import strict_option
from maskdet.sessions.choice import RuntimeName
from maskdet.terminal.console import say


@click.command()
@click.argument("sources", metavar="[SOURCE…]", nargs=-1)
@click.option("--data", metavar="DATA", help="Score on labels: a data.yaml, or a Pascal VOC folder.")
@click.option("--split", metavar="NAME", help="The split of --data.  [default: val]")
@click.option("--folds", is_flag=True, help="--data has folds; the names of both models have {fold} in them.")
@click.option(
    "--weights", metavar="FILE", help="The detector: .onnx, .pt, an OpenVINO folder, or a shipped one's name."
)
@click.option("--classifier", "classifier_weights", metavar="FILE", help="The classifier: .onnx, or a shipped one.")
@click.option("--conf", type=click.FloatRange(0, 1), default=0.25, show_default=True, help="Confidence threshold.")
@click.option("--iou", type=click.FloatRange(0, 1), default=0.7, show_default=True, help="IoU threshold of NMS.")
@click.option("--imgsz", type=click.IntRange(32, 8192), help="Longer side of the detector's input, in pixels.")
@look_options
@device_options
@trust_option
@click.option("--batch", type=click.IntRange(1, 256), help="Pictures run at once.  [default: 1, with --data 16]")
@click.option("--vid-stride", type=click.IntRange(1), default=1, show_default=True, help="Use every n-th frame only.")
@click.option("--json", "json_target", metavar="FILE|-", help="Write JSON Lines; with --data, one object of figures.")
@click.option("--csv", "csv_target", metavar="FILE|-", help="Write CSV, one row a face with both answers.")
@click.option("--save", metavar="DIR", help="Write pictures of the disagreements; with --data of the figures.")
@strict_option
@click.option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")
def compare(
    sources: tuple[str, ...],
    data: str | None,
    split: str | None,
    folds: bool,
    weights: str | None,
    classifier_weights: str | None,
    conf: float,
    iou: float,
    imgsz: int | None,
    close_ups: bool | None,
    augment: bool,
    device: str,
    runtime: RuntimeName,
    trust_weights: bool,
    batch: int | None,
    vid_stride: int,
    json_target: str | None,
    csv_target: str | None,
    save: str | None,
    strict: bool,
    quiet: bool,
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
    if data is None:
        if split is not None or folds:
            raise click.UsageError(f"{'--folds' if folds else '--split'} belongs to --data")
        return _look(
            sources, weights, classifier_weights, conf, iou, imgsz, close_ups, augment, device, runtime,
            trust_weights, batch or 1, vid_stride, json_target, csv_target, save, strict, quiet,
        )  # fmt: skip
    if csv_target is not None or vid_stride != 1:
        raise click.UsageError("--csv and --vid-stride belong to sources, not to --data")
    if folds:
        if split is not None or save is not None:
            raise click.UsageError("--split and --save have no meaning with --folds")
        from maskdet.cli.compare_data import score_folds

        score_folds(
            data, weights=weights, classifier_weights=classifier_weights, conf=conf, iou=iou, imgsz=imgsz,
            close_ups=close_ups, augment=augment, device=device, runtime=runtime, trust_weights=trust_weights,
            batch=batch or 16, json_target=json_target, quiet=quiet,
        )  # fmt: skip
        return EXIT_DONE
    from maskdet.cli.compare_data import score_data

    score_data(
        data, split, weights=weights, classifier_weights=classifier_weights, conf=conf, iou=iou, imgsz=imgsz,
        close_ups=close_ups, augment=augment, device=device, runtime=runtime, trust_weights=trust_weights,
        batch=batch or 16, json_target=json_target, save=save, quiet=quiet,
    )  # fmt: skip
    return EXIT_DONE


def _look(
    sources: tuple[str, ...],
    weights: str | None,
    classifier_weights: str | None,
    conf: float,
    iou: float,
    imgsz: int | None,
    close_ups: bool | None,
    augment: bool,
    device: str,
    runtime: RuntimeName,
    trust_weights: bool,
    batch: int,
    vid_stride: int,
    json_target: str | None,
    csv_target: str | None,
    save: str | None,
    strict: bool,
    quiet: bool,
) -> int:
    """Put both answers side by side on every face of the sources."""
    if json_target == csv_target == "-":
        raise click.UsageError("--json - and --csv - cannot both write to standard output")
    from maskdet.cli.detect_run import ErrorLog, Task, threads_for
    from maskdet.cli.source_search import find_sources

    errors = ErrorLog()
    found = find_sources(sources, errors, writes_to=(save,), strict=strict, quiet=quiet)
    if not found:
        return EXIT_ERROR

    from maskdet.chain.agreement.outputs import SHEET, CompareOutputs
    from maskdet.files.guard import Guard
    from maskdet.prediction.predictors import choose_predictor
    from maskdet.sources.places.files import files_among

    guard = Guard([*sources, weights, classifier_weights], files_among(found))
    guard.check_texts({"--json": json_target, "--csv": csv_target})
    guard.check_folders({"--save": save}, (json_target, csv_target))
    if save:
        guard.check_media(Path(save) / SHEET)
    detector = open_detector(
        weights=weights,
        conf=conf,
        iou=iou,
        imgsz=imgsz,
        close_ups=close_ups,
        augment=augment,
        device=device,
        threads=threads_for(found),
        runtime=runtime,
        trust_weights=trust_weights,
    )
    classifier = open_classifier(classifier_weights, device=device, runtime=runtime)
    predictor = choose_predictor("compare", detector, classifier)
    outputs = CompareOutputs(json_target, csv_target, save, errors.report, guard)
    task = Task(found, predictor, outputs, errors, batch=batch, vid_stride=vid_stride)
    outcome = task.run(keep_tally=False, quiet=quiet)
    if not quiet and "-" not in (json_target, csv_target):
        from maskdet.chain.agreement.table import print_agreement

        print_agreement(outputs.agreement)
    if save and outputs.pictures and outputs.pictures.pictures and not quiet:
        say(f"disagreements: {Path(save)}, {Path(save) / SHEET}")
    if outcome.interrupted:
        raise click.Abort
    return EXIT_ERROR if errors.any else EXIT_DONE
