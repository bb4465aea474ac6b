"""``maskdet compare --data``: scores on labelled photos, as a table, JSON and pictures; with ``--folds`` over folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from maskdet.cli.options.model import ModelOptions
from maskdet.cli.options.run import RunOptions
from maskdet.cli.report_output import command_line, to_json, write_text
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.chain.evaluation.folds import FoldPair

#: What decides no figure, or only where it is looked for; and what is told also where nobody gave it.
_UNTOLD: Final = frozenset({"json_target", "save", "quiet", "batch", "device"})
_ALWAYS: Final = frozenset({"conf", "iou"})


def score_data(
    data: str, split: str | None, json_target: str | None, save: str | None, *, model: ModelOptions, run: RunOptions
) -> None:
    """Score both models and the chain, and write what was asked for.

    Args:
        data: a ``data.yaml``, its folder, or a Pascal VOC folder.
        split: its key in ``data.yaml``.
        json_target: file of the report, ``"-"`` for standard output.
        save: folder of the pictures and ``compare.json``.
        model: both models.
        run: how many photos at once.

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
    from maskdet.files.atomic import write_bytes
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
    report = compare(
        detector, classifier, labelled, conf=float(model.conf), iou=model.iou, batch=run.batch, quiet=run.quiet
    )
    report = replace(
        report,
        detector=replace(report.detector, sha256=checksum(resolve_weights(model.weights)[1])),
        classifier=replace(report.classifier, sha256=checksum(resolve_weights(model.classifier, "classify")[1])),
        command=command_line({*_UNTOLD, "runtime", "trust_weights"}, _ALWAYS, instead={"data": labelled.data}),
    )
    text = to_json(report.to_dict(), indent=2)
    write_text(text, json_target)
    if save:
        from maskdet.chain.evaluation.shown import save_bars

        save_bars(report, Path(save))
        write_bytes(Path(save) / "compare.json", text.encode())
    if not run.quiet and json_target != "-":
        from maskdet.chain.evaluation.shown import print_scores

        print_scores(report)
    if save and not run.quiet:
        say(f"pictures: {Path(save)}")


def score_folds(data: str, json_target: str | None, *, model: ModelOptions, run: RunOptions) -> None:
    """Score both models of every fold and the chain, and write what was asked for.

    Args:
        data: the folder that ``maskdet convert --folds`` wrote.
        json_target: file of the report, ``"-"`` for standard output.
        model: both models, with ``{fold}`` in their names.
        run: how many photos at once.

    Raises:
        MaskdetError: data or a model cannot be used, a package is missing, or a file cannot be written.
        click.UsageError: a model is not named.
    """
    from maskdet.extras import require

    require("faster_coco_eval", what="maskdet compare --data", extra="train")
    if model.weights is None or model.classifier is None:
        raise click.UsageError("--folds needs --weights and --classifier, {fold} in both names standing for 1, 2, …")

    from maskdet.chain.evaluation.folds import compare_folds
    from maskdet.detector.evaluation.folds.cross_validation import fold_models
    from maskdet.detector.evaluation.folds.fold_set import fold_files, folds_folder, read_folds
    from maskdet.files.guard import Guard

    Guard([data]).check_texts({"--json": json_target})
    count = len(fold_files(folds_folder(data)))
    # What is missing should be said before the photos are run, not after.
    detectors, classifiers = (fold_models(template, count) for template in (model.weights, model.classifier))
    pairs = _pairs(
        replace(model, weights=str(one), classifier=str(other))
        for one, other in zip(detectors, classifiers, strict=True)
    )
    folds = read_folds(data, quiet=run.quiet)
    report = compare_folds(pairs, folds, conf=float(model.conf), iou=model.iou, batch=run.batch, quiet=run.quiet)
    report = replace(report, command=command_line(_UNTOLD, _ALWAYS))
    write_text(to_json(report.to_dict()), json_target)
    if not run.quiet and json_target != "-":
        from maskdet.chain.evaluation.shown import print_fold_scores

        print_fold_scores(report)


def _pairs(models: Iterator[ModelOptions]) -> Iterator[FoldPair]:
    """Load the networks of each fold when its turn comes.

    Raises:
        WeightsError: a file cannot be used.
    """
    from maskdet.chain.evaluation.folds import FoldPair
    from maskdet.detector.evaluation.folds.report import FoldModel
    from maskdet.weights import checksum

    for model in models:
        detector, classifier = model.open_detector(), model.open_classifier()
        both = ((detector.info, model.weights), (classifier.info, model.classifier))
        first, second = (FoldModel(info.name, checksum(Path(str(file))), info.imgsz) for info, file in both)
        yield FoldPair(detector, classifier, (first, second))
