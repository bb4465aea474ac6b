"""``maskdet compare --data … --folds``: detector, classifier and chain over grouped folds, as a table and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli.open_models import open_classifier
from maskdet.cli.report_output import command_line, to_json, write_text
from maskdet.runtime_choice import RuntimeName

if TYPE_CHECKING:
    from maskdet.chain.fold_scores import FoldPair


def score_folds(
    data: str,
    *,
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
    json_target: str | None,
    quiet: bool,
) -> None:
    """Score both models of every fold and the chain, and write what was asked for.

    Args:
        data: the folder that ``maskdet convert --folds`` wrote.
        weights: the detectors', with ``{fold}`` in the name.
        classifier_weights: the classifiers', likewise.
        conf: boxes above it are those whose classes are compared.
        iou: threshold of NMS.
        imgsz: longer side of the detectors' input in pixels.
        close_ups: whether they see each photo once more at a small input; None as they ask.
        augment: whether the detectors also see each photo mirrored and smaller.
        device: where both run, as ``--device`` takes it.
        runtime: what runs them.
        trust_weights: unpickle a ``.pt`` whatever it names.
        batch: photos run at once.
        json_target: file of the report, ``"-"`` for standard output.
        quiet: print no table.

    Raises:
        MaskdetError: data or a model cannot be used, a package is missing, or a file cannot be written.
        click.UsageError: a model is not named.
    """
    from maskdet.extras import require

    require("faster_coco_eval", what="maskdet compare --data", extra="train")
    if weights is None or classifier_weights is None:
        raise click.UsageError("--folds needs --weights and --classifier, {fold} in both names standing for 1, 2, …")

    from maskdet.chain.fold_scores import compare_folds
    from maskdet.detector.cross_validation import fold_models
    from maskdet.detector.fold_set import fold_files, folds_folder, read_folds
    from maskdet.writers.guard import Guard

    Guard([data]).check_texts({"--json": json_target})
    count = len(fold_files(folds_folder(data)))
    # What is missing should be said before the photos are run, not after.
    for template in (weights, classifier_weights):
        fold_models(template, count)
    settings = {"model": weights, "imgsz": imgsz, "augment": augment, "device": device, "runtime": runtime}
    settings["trust_weights"] = trust_weights
    pairs = _pairs(settings, classifier_weights, count, close_ups=close_ups)
    report = compare_folds(pairs, read_folds(data, quiet=quiet), conf=conf, iou=iou, batch=batch, quiet=quiet)
    always = {"conf", "iou"}
    report = replace(report, command=command_line({"json_target", "quiet", "batch", "device"}, always))
    write_text(to_json(report.to_dict()), json_target)
    if not quiet and json_target != "-":
        from maskdet.chain.fold_table import print_fold_scores

        print_fold_scores(report)


def _pairs(
    settings: dict[str, Any], classifier_weights: str, count: int, *, close_ups: bool | None
) -> Iterator[FoldPair]:
    """Load the networks of each fold when its turn comes.

    Raises:
        WeightsError: a file cannot be used.
    """
    from maskdet.chain.fold_scores import FoldPair
    from maskdet.cli.val_folds import load_fold_detectors
    from maskdet.detector.cross_validation import fold_models
    from maskdet.detector.fold_report import FoldModel
    from maskdet.weights import checksum

    paths = fold_models(classifier_weights, count)
    for (detector, model), path in zip(load_fold_detectors(settings, count, close_ups=close_ups), paths, strict=True):
        classifier = open_classifier(path, device=settings["device"], runtime=settings["runtime"])
        yield FoldPair(
            detector, classifier, (model, FoldModel(classifier.info.name, checksum(path), classifier.info.imgsz))
        )
