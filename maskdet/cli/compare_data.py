"""``maskdet compare --data``: scores on labelled photos, as a table, JSON and pictures; with ``--folds`` over folds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli.open_models import open_classifier, open_detector
from maskdet.cli.report_output import command_line, to_json, write_text
from maskdet.sessions.choice import RuntimeName
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.chain.evaluation.folds import FoldPair
    from maskdet.chain.evaluation.report import CompareReport


def score_data(
    data: str,
    split: str | None,
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
    save: str | None,
    quiet: bool,
) -> None:
    """Score both models and the chain, and write what was asked for.

    Args:
        data: a ``data.yaml``, its folder, or a Pascal VOC folder.
        split: its key in ``data.yaml``.
        weights: the detector's.
        classifier_weights: the classifier's.
        conf: boxes above it are those whose classes are compared.
        iou: threshold of NMS.
        imgsz: longer side of the detector's input in pixels.
        close_ups: whether the detector sees each photo once more at a small input; None as it asks.
        augment: whether it also sees each photo mirrored and smaller.
        device: where both models run, as ``--device`` takes it.
        runtime: what runs them.
        trust_weights: unpickle a ``.pt`` whatever it names.
        batch: photos run at once.
        json_target: file of the report, ``"-"`` for standard output.
        save: folder of the pictures and ``compare.json``.
        quiet: print no table.

    Raises:
        MaskdetError: data or a model cannot be used, a package is missing, or a file cannot be written.
        click.UsageError: an option out of its range.
    """
    from maskdet.extras import require

    # What is missing should be said before the photos are run, not after.
    require("faster_coco_eval", what="maskdet compare --data", extra="train")
    if save:
        require("matplotlib", what="--save", extra="plots")

    from maskdet.chain.evaluation.labelled_data import read_labelled
    from maskdet.chain.evaluation.split import compare
    from maskdet.files.guard import Guard
    from maskdet.weights import checksum, resolve_weights

    guard = Guard([data, weights, classifier_weights])
    guard.check_texts({"--json": json_target})
    guard.check_folders({"--save": save}, [json_target])
    if save:
        guard.check_reports(Path(save), ("ap.png", "classes.png", "compare.json"))
    labelled = read_labelled(data, split)
    detector = open_detector(
        weights=weights,
        imgsz=imgsz,
        close_ups=close_ups,
        augment=augment,
        device=device,
        runtime=runtime,
        trust_weights=trust_weights,
    )
    classifier = open_classifier(classifier_weights, device=device, runtime=runtime)
    if labelled.repeated and not quiet:
        say(f"note: {labelled.repeated} repeated label lines count once")
    report = compare(detector, classifier, labelled, conf=conf, iou=iou, batch=batch, quiet=quiet)
    given = {
        "--data": labelled.data,
        "--split": split,
        "--weights": weights and Path(weights).name,
        "--classifier": classifier_weights and Path(classifier_weights).name,
        "--conf": conf,
        "--iou": iou,
        "--imgsz": imgsz,
    }
    if close_ups is not None:
        given["--close-ups" if close_ups else "--no-close-ups"] = True
    if augment:
        given["--augment"] = True
    report = replace(
        report,
        detector=replace(report.detector, sha256=checksum(resolve_weights(weights)[1])),
        classifier=replace(report.classifier, sha256=checksum(resolve_weights(classifier_weights, "classify")[1])),
        command=_command_line(given),
    )
    _write(report, json_target, save)
    if not quiet and json_target != "-":
        from maskdet.chain.evaluation.tables import print_scores

        print_scores(report)
    if save and not quiet:
        say(f"pictures: {Path(save)}")


def _command_line(given: dict[str, Any]) -> str:
    """Return the command that made a report, without the folders of the machine it ran on."""
    words = ["maskdet", "compare"]
    for option, value in given.items():
        if value is not None:
            words += [option] if value is True else [option, str(value)]
    return shlex.join(words)


def _write(report: CompareReport, json_target: str | None, save: str | None) -> None:
    from maskdet.files.atomic import write_bytes

    text = to_json(report.to_dict(), indent=2)
    write_text(text, json_target)
    if save:
        from maskdet.chain.evaluation.plots import save_bars

        save_bars(report, Path(save))
        write_bytes(Path(save) / "compare.json", text.encode())


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

    from maskdet.chain.evaluation.folds import compare_folds
    from maskdet.detector.evaluation.folds.cross_validation import fold_models
    from maskdet.detector.evaluation.folds.fold_set import fold_files, folds_folder, read_folds
    from maskdet.files.guard import Guard

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
        from maskdet.chain.evaluation.tables import print_fold_scores

        print_fold_scores(report)


def _pairs(
    settings: dict[str, Any], classifier_weights: str, count: int, *, close_ups: bool | None
) -> Iterator[FoldPair]:
    """Load the networks of each fold when its turn comes.

    Raises:
        WeightsError: a file cannot be used.
    """
    from maskdet.chain.evaluation.folds import FoldPair
    from maskdet.cli.val_folds import load_fold_detectors
    from maskdet.detector.evaluation.folds.cross_validation import fold_models
    from maskdet.detector.evaluation.folds.report import FoldModel
    from maskdet.weights import checksum

    paths = fold_models(classifier_weights, count)
    for (detector, model), path in zip(load_fold_detectors(settings, count, close_ups=close_ups), paths, strict=True):
        classifier = open_classifier(path, device=settings["device"], runtime=settings["runtime"])
        yield FoldPair(
            detector, classifier, (model, FoldModel(classifier.info.name, checksum(path), classifier.info.imgsz))
        )
