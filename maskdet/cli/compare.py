"""``maskdet compare``: both answers on every face of any source, or scores where labels are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR
from maskdet.cli.options import options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.options.run import RunOptions
from maskdet.cli.report_output import command_line, write_report
from maskdet.cli.seen import warn_of_seen
from maskdet.detector.inference.options import DEFAULT_CONF
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.chain.evaluation.answers_file import FoldAnswers

#: What decides no figure, or only where it is looked for; and what is told also where nobody gave it.
_UNTOLD: Final = frozenset({"json_target", "answers", "save", "quiet", "batch", "device"})
_ALWAYS: Final = frozenset({"conf", "iou"})


@click.command()
@click.argument("sources", metavar="[SOURCE…]", nargs=-1)
@click.option("--data", metavar="DATA", help="Score on labels: a data.yaml, or a Pascal VOC folder.")
@click.option("--split", metavar="NAME", help="The split of --data.  [default: val]")
@click.option("--folds", is_flag=True, help="--data has folds; the names of both models have {fold} in them.")
@click.option(
    "--weights", metavar="FILE", help="The detector: .onnx, .pt, an OpenVINO folder, or a shipped one's name."
)
@click.option("--classifier", metavar="FILE", help="The classifier: .onnx, or a shipped one.")
@click.option(
    "--conf", type=click.FloatRange(0, 1), default=DEFAULT_CONF, show_default=True, help="Confidence threshold."
)
@options("iou", model=ModelOptions)
@click.option("--imgsz", type=click.IntRange(32, 8192), help="Longer side of the detector's input, in pixels.")
@options("close_ups", "augment", "device", "runtime", "trust_weights", model=ModelOptions)
@click.option("--batch", type=click.IntRange(1, 256), help="Pictures run at once.  [default: 1, with --data 16]")
@options("vid_stride", run=RunOptions)
@click.option("--json", "json_target", metavar="FILE|-", help="Write JSON Lines; with --data, one object of figures.")
@click.option(
    "--answers", metavar="FILE", help="With --folds: keep what the models said, as .json.gz; --data takes it."
)
@click.option("--csv", "csv_target", metavar="FILE|-", help="Write CSV, one row a face with both answers.")
@click.option("--save", metavar="DIR", help="Write pictures of the disagreements; with --data of the figures.")
@options("strict", "quiet", run=RunOptions)
def compare(
    sources: tuple[str, ...],
    data: str | None,
    split: str | None,
    folds: bool,
    json_target: str | None,
    answers: str | None,
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
    maskdet compare --data answers.json.gz --folds  the same tables without models or photos, from what --answers kept

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
    if answers is not None and not folds:
        raise click.UsageError("--answers belongs to --folds")
    if data is None:
        if split is not None or folds:
            raise click.UsageError(f"{'--folds' if folds else '--split'} belongs to --data")
        return _look(sources, json_target, csv_target, save, model=model, run=replace(run, batch=run.batch or 1))
    if csv_target is not None or run.vid_stride != 1:
        raise click.UsageError("--csv and --vid-stride belong to sources, not to --data")
    run = replace(run, batch=run.batch or 16)
    if folds:
        if split is not None or save is not None:
            raise click.UsageError("--split and --save have no meaning with --folds")
        _score_folds(data, json_target, answers, model=model, run=run)
    else:
        _score_data(data, split, json_target, save, model=model, run=run)
    return EXIT_DONE


def _number(model: ModelOptions) -> float:
    """Return the threshold, which is a number in this command."""
    return DEFAULT_CONF if model.conf is None else float(model.conf)


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
    from maskdet.cli.source_run import ErrorLog, find_sources, run_sources, threads_for

    errors = ErrorLog()
    found = find_sources(sources, errors, run, writes_to=(save,))
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
    _, predictor = model.open(threads=threads_for(found))
    outputs = CompareOutputs(json_target, csv_target, save, errors.report, guard)
    outcome = run_sources(found, predictor, outputs, errors, run, keep_tally=False)
    if not run.quiet and "-" not in (json_target, csv_target):
        from maskdet.chain.agreement import print_agreement

        print_agreement(outputs.agreement)
    if save and outputs.pictures and outputs.pictures.pictures and not run.quiet:
        say(f"disagreements: {Path(save)}, {Path(save) / SHEET}")
    return outcome.exit_code(errors)


def _score_data(
    data: str, split: str | None, json_target: str | None, save: str | None, *, model: ModelOptions, run: RunOptions
) -> None:
    """Score both models and the chain, and write what was asked for.

    Raises:
        MaskdetError: data or a model cannot be used, a package is missing, or a file cannot be written.
        click.UsageError: an option out of its range.
    """
    from maskdet.extras import require

    # What is missing should be said before the photos are run, not after.
    require("faster_coco_eval", what="maskdet compare --data", extra="train")
    if save:
        require("matplotlib", what="--save", extra="plots")

    from maskdet.chain.evaluation.split import compare, read_labelled
    from maskdet.files.guard import Guard
    from maskdet.weights import checksum, resolve_weights

    guard = Guard([data, model.weights, model.classifier])
    guard.check_texts({"--json": json_target})
    guard.check_folders({"--save": save}, [json_target])
    if save:
        guard.check_reports(Path(save), ("ap.png", "classes.png", "compare.json"))
    labelled = read_labelled(data, split)
    detector, classifier = model.open_detector(), model.open_classifier()
    if labelled.repeated and not run.quiet:
        say(f"note: {labelled.repeated} repeated label lines count once")
    files = resolve_weights(model.weights)[1], resolve_weights(model.classifier, "classify")[1]
    if not run.quiet:
        warn_of_seen(detector.info.name, detector.metadata, files[0], labelled.photos)
        warn_of_seen(classifier.info.name, classifier.spec.metadata, files[1], labelled.photos)
    report = compare(
        detector, classifier, labelled, conf=_number(model), iou=model.iou, batch=run.batch, quiet=run.quiet
    )
    report = replace(
        report,
        detector=replace(report.detector, sha256=checksum(files[0])),
        classifier=replace(report.classifier, sha256=checksum(files[1])),
        command=command_line({*_UNTOLD, "runtime", "trust_weights"}, _ALWAYS, instead={"data": labelled.data}),
    )
    write_report(report.to_dict(), json_target, Path(save) / "compare.json" if save else None)
    if save:
        from maskdet.chain.evaluation.shown import save_bars

        save_bars(report, Path(save))
    if not run.quiet and json_target != "-":
        from maskdet.chain.evaluation.shown import print_scores

        print_scores(report)
    if save and not run.quiet:
        say(f"pictures: {Path(save)}")


def _score_folds(
    data: str, json_target: str | None, answers: str | None, *, model: ModelOptions, run: RunOptions
) -> None:
    """Score both models of every fold and the chain, or what they said at an earlier time, and write what is wanted.

    Raises:
        MaskdetError: data or a model cannot be used, a package is missing, or a file cannot be written.
        click.UsageError: a model is not named, or is where none is asked.
    """
    from maskdet.extras import require

    require("faster_coco_eval", what="maskdet compare --data", extra="train")
    from maskdet.chain.evaluation.answers_file import ENDING, read_answers, write_answers
    from maskdet.chain.evaluation.folds import compare_folds
    from maskdet.files.guard import Guard

    Guard([data, model.weights, model.classifier]).check_texts({"--json": json_target, "--answers": answers})
    if answers is not None and not answers.endswith(ENDING):
        raise click.UsageError(f"--answers: {answers} should end in {ENDING}")
    if data.endswith(ENDING):
        if model.weights or model.classifier or answers:
            raise click.UsageError(f"{data} holds what models said: leave out --weights, --classifier and --answers")
        kept = read_answers(Path(data))
    else:
        kept = _ask_folds(data, model=model, run=run)
    command = command_line(_UNTOLD, _ALWAYS)
    if answers is not None:
        write_answers(Path(answers), kept, command)
    report = replace(compare_folds(kept, conf=_number(model)), command=command)
    write_report(report.to_dict(), json_target, indent=1)
    if not run.quiet and json_target != "-":
        from maskdet.chain.evaluation.shown import print_fold_scores

        print_fold_scores(report)


def _ask_folds(data: str, *, model: ModelOptions, run: RunOptions) -> FoldAnswers:
    """Run both models of every fold over the photos that they have not seen."""
    if model.weights is None or model.classifier is None:
        raise click.UsageError("--folds needs --weights and --classifier, {fold} in both names standing for 1, 2, …")

    from maskdet.chain.evaluation.folds import FoldPair, ask_folds
    from maskdet.detector.evaluation.folds.cross_validation import fold_models
    from maskdet.detector.evaluation.folds.fold_set import fold_files, folds_folder, read_folds
    from maskdet.detector.evaluation.folds.report import FoldModel
    from maskdet.weights import checksum

    wanted = [file.stem for file in fold_files(folds_folder(data))]
    # What is missing should be said before the photos are run, not after.
    detectors, classifiers = (fold_models(template, wanted) for template in (model.weights, model.classifier))
    parts = [part for part in wanted if part in detectors and part in classifiers]
    if len(parts) < len(wanted) and not run.quiet:
        say("note: no pair of models for {fold} = series: the selfie series is not scored")

    def load() -> Iterator[FoldPair]:
        for part in parts:  # each pair when its turn comes
            one, other = detectors[part], classifiers[part]
            pair = replace(model, weights=str(one), classifier=str(other))
            detector, classifier = pair.open_detector(), pair.open_classifier()
            told = ((detector.info, one), (classifier.info, other))
            first, second = (FoldModel(info.name, checksum(path), info.imgsz) for info, path in told)
            yield FoldPair(detector, classifier, (first, second))

    folds = read_folds(data, parts=parts, quiet=run.quiet)
    return ask_folds(load(), folds, iou=model.iou, batch=run.batch, quiet=run.quiet)
