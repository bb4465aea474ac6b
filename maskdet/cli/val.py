"""``maskdet val``: a table of figures on standard output; JSON and pictures where asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli.options import options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.report_output import to_json, write_text
from maskdet.cli.val_arguments import as_typed, check_keys, model_options, save_folder
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.detector.evaluation.labelled_split import LabelledSplit


@click.command()
@click.argument("arguments", metavar="KEY=VALUE…", nargs=-1)
@click.option("--json", "json_target", metavar="FILE|-", help="Write every figure as one JSON object.")
@click.option("--save", metavar="DIR", help="Write PR curves and confusion matrix as PNG, and val.json.")
@click.option("--folds", is_flag=True, help="Cross-validate: data= has folds, model= has {fold} in its name.")
@options("close_ups", "augment", "trust_weights", model=ModelOptions)
@click.option("--stress", is_flag=True, help="Re-frame the photos so that faces take 10 to 95 % of the picture.")
@click.option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")
def val(
    arguments: tuple[str, ...],
    json_target: str | None,
    save: str | None,
    folds: bool,
    stress: bool,
    quiet: bool,
    *,
    model: ModelOptions,
) -> int:
    """Score a detector on a labelled split, with the arguments of `yolo val`.

    \b
    maskdet val data=mydata/data.yaml                              the shipped model on the split "val"
    maskdet val model=runs/detect/train/weights/best.pt data=mydata/data.yaml split=test
    maskdet val model=best.onnx data=mydata/data.yaml --save report --json figures.json
    maskdet val model=runs/fold{fold}.onnx data=folds --folds      K detectors, each on the fold it has not seen
    maskdet val data=mydata/data.yaml --stress                     how recall depends on the size of a face

    \b
    model=    an .onnx or .pt file, an OpenVINO folder, or a name      the shipped one
    data=     a data.yaml, or its folder                               needed
    split=    train, val or test                                       val
    imgsz=    longer side of the network's input, in pixels            what the model was trained at
    conf=     confidence from which boxes count for AP                 0.001
    iou=      IoU threshold of NMS                                     0.7
    batch=    photos run at once                                       16
    device=   cpu, the index of a CUDA GPU, coreml, directml, …        cpu
    runtime=  onnx, openvino or torch                                  auto: by the kind of file
    precision= fp32, or bf16 (OpenVINO, where the processor has it)    fp32
    trust_weights= True is the same as --trust-weights                 False
    augment=  True is the same as --augment                            False
    save_dir= the same as --save; so is project=DIR name=NAME          nothing is written

    Classes are matched by name: other classes than the three are scored under their own. --stress needs the three.

    AP is COCO's, with a 95 % interval from 1000 bootstrap samples of the photos. Precision, recall, F1 and the
    confusion matrix are those of `maskdet detect` at its own threshold, confidence 0.25, and IoU 0.5. With --folds,
    data= is what `maskdet convert --folds` wrote, and the figures are the mean of the folds, their standard deviation
    and a 95 % interval from 1000 draws of groups of alike photos.

    --stress cuts pictures around every face, so that it takes 10, 25, 50, 75 and 95 % of the shorter side, and shrinks
    the photos until it is 8 to 16 pixels long; it gives recall and AP50 by that share, and with --save their curve.
    """
    from maskdet.detector.training.arguments import parse_arguments

    settings = {key: value for key, value in parse_arguments(arguments).items() if value is not None}
    check_keys(settings)
    settings |= {key: True for key in ("trust_weights", "augment") if getattr(model, key)}
    model = model_options(settings, model)
    if stress and "batch" in settings:
        raise click.UsageError("batch= does not go with --stress, whose pictures have many shapes")
    folder = save_folder(settings, save)
    _guard_outputs(settings, json_target, folder, stress=stress)
    if folds and stress:
        raise click.UsageError("--folds and --stress are two different tests: give one")
    if folds:
        return _score_folds(settings, model, json_target, folder, quiet=quiet)

    from maskdet.detector.evaluation.evaluate import VAL_CONF
    from maskdet.detector.evaluation.labelled_split import read_split
    from maskdet.detector.inference.options import DEFAULT_IOU
    from maskdet.extras import require
    from maskdet.weights import checksum, resolve_weights

    # What is missing should be said before the photos are run, not after.
    require("faster_coco_eval", what="maskdet val", extra="train")
    if folder:
        require("matplotlib", what="--save", extra="plots")
    labelled = read_split(str(settings["data"]), str(settings.get("split", "val")), any_classes=not stress)
    detector = model.open_detector()
    if not quiet:
        _say_notes(labelled, detector.names)
    thresholds = {"conf": settings.get("conf", VAL_CONF), "iou": settings.get("iou", DEFAULT_IOU)}
    digest = checksum(resolve_weights(model.weights)[1])
    command = as_typed(settings, labelled.data)
    if stress:
        from maskdet.cli.val_stress import print_scales, write_scales
        from maskdet.detector.evaluation.stress.score import stress as stress_detector

        scales = stress_detector(detector, labelled, **thresholds, quiet=quiet)
        scales = replace(scales, sha256=digest, command=command)
        write_scales(scales, json_target, folder)
        if not quiet and json_target != "-":
            print_scales(scales)
    else:
        from maskdet.cli.val_split import print_report, write
        from maskdet.detector.evaluation.evaluate import evaluate

        report = evaluate(detector, labelled, **thresholds, batch=settings.get("batch", 16), quiet=quiet)
        report = replace(report, sha256=digest, command=command)
        write(report, json_target, folder)
        if not quiet and json_target != "-":
            print_report(report)
    if folder and not quiet:
        say(f"pictures: {folder}")
    return 0


def _say_notes(labelled: LabelledSplit, names: Sequence[str]) -> None:
    """Say what of the labels, and of a model's classes, does not count."""
    from maskdet.detector.evaluation.class_match import unmatched

    if labelled.repeated:
        say(f"note: {labelled.repeated} repeated label lines count once")
    if labelled.empty:
        say(f"note: {labelled.empty} label lines without area are left out")
    if apart := unmatched(names, labelled.spelled_as(names).names):
        say(f"note: {apart}")


def _guard_outputs(settings: Mapping[str, Any], json_target: str | None, folder: Path | None, *, stress: bool) -> None:
    """Make sure, before anything is run, that nothing is destroyed."""
    from maskdet.files.guard import Guard

    guard = Guard([str(settings["data"]), str(settings.get("model", ""))])
    guard.check_texts({"--json": json_target})
    guard.check_folders({"--save": None if folder is None else str(folder)}, [json_target])
    if folder:
        figures = ("stress.png", "stress.json") if stress else ("pr_curve.png", "confusion_matrix.png", "val.json")
        guard.check_reports(folder, figures)


def _score_folds(
    settings: Mapping[str, Any], model: ModelOptions, json_target: str | None, folder: Path | None, *, quiet: bool
) -> int:
    """Cross-validate and write what was asked for."""
    from maskdet.cli import val_folds
    from maskdet.extras import require

    require("faster_coco_eval", what="maskdet val", extra="train")
    if folder:
        raise click.UsageError("--folds draws no pictures: --json FILE writes its figures")
    report = val_folds.score(settings, model, quiet=quiet)
    report = replace(report, command=as_typed(settings, report.data))
    write_text(to_json(report.to_dict()), json_target)
    if not quiet and json_target != "-":
        val_folds.print_report(report)
    return 0
