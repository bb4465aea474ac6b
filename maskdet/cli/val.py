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
    from maskdet.files.guard import Guard


@click.command()
@click.argument("arguments", metavar="KEY=VALUE…", nargs=-1)
@click.option("--json", "json_target", metavar="FILE|-", help="Write every figure as one JSON object.")
@click.option("--save", metavar="DIR", help="Write PR curves and confusion matrix as PNG, and val.json.")
@click.option("--folds", is_flag=True, help="Cross-validate: data= has folds, model= has {fold} in its name.")
@options("close_ups", "augment", "trust_weights", model=ModelOptions)
@click.option("--stress", is_flag=True, help="Re-frame the photos so that faces take 10 to 95 % of the picture.")
@click.option("--mistakes", metavar="DIR", help="Write what fails: a gallery by size and class, and a CSV.")
@click.option(
    "--calibrate", is_flag=True, help="With --folds: make confidences probabilities; --save writes the files."
)
@click.option("--final", metavar="FILE", help="With --calibrate: calibrate this detector too, trained on all photos.")
@click.option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")
def val(
    arguments: tuple[str, ...],
    json_target: str | None,
    save: str | None,
    folds: bool,
    stress: bool,
    mistakes: str | None,
    calibrate: bool,
    final: str | None,
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
    maskdet val data=mydata/data.yaml --mistakes mistakes          what fails, and labels that look wrong
    maskdet val model=runs/fold{fold}.onnx data=folds --folds --calibrate --save calibrated

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

    --mistakes counts faces missed, found as another class or twice, and boxes where none is labelled, above conf=
    (0.25); its pictures show the worst first, labelled boxes solid and found ones dashed. --calibrate fits a
    temperature and a bias on detections of the folds' detectors, each fold judged by what the others say; --save writes
    the detectors, calibrated, and the reliability diagram.
    """
    from maskdet.detector.training.arguments import parse_arguments
    from maskdet.extras import require

    settings = {key: value for key, value in parse_arguments(arguments).items() if value is not None}
    check_keys(settings)
    settings |= {key: True for key in ("trust_weights", "augment") if getattr(model, key)}
    model = model_options(settings, model)
    if stress and "batch" in settings:
        raise click.UsageError("batch= does not go with --stress, whose pictures have many shapes")
    folder = save_folder(settings, save)
    _check_tests({"--folds": folds, "--stress": stress, "--mistakes": mistakes, "--calibrate": calibrate})
    if final and not (calibrate and folder):
        raise click.UsageError("--final goes with --calibrate and --save")
    guard = _guard_outputs(settings, json_target, folder, stress=stress)
    # What is missing should be said before the photos are run, not after.
    require("faster_coco_eval", what="maskdet val", extra="train")
    if mistakes:
        return _show_mistakes(settings, model, json_target, mistakes, guard, folds=folds, quiet=quiet)
    if folds and not calibrate:
        return _score_folds(settings, model, json_target, folder, quiet=quiet)
    if folder:
        require("matplotlib", what="--save", extra="plots")
    if calibrate:
        return _calibrate(settings, model, json_target, folder, final, quiet=quiet)
    return _score_split(settings, model, json_target, folder, stress=stress, quiet=quiet)


def _check_tests(given: Mapping[str, object]) -> None:
    """Refuse two tests at once; the folds are a test of their own, or what two others look at.

    Raises:
        click.UsageError: there are two, or ``--calibrate`` is without folds.
    """
    with_folds = given["--mistakes"] or given["--calibrate"]
    tests = [name for name, on in given.items() if on and not (name == "--folds" and with_folds)]
    if len(tests) > 1:
        raise click.UsageError(f"{' and '.join(tests)} are two different tests: give one")
    if given["--calibrate"] and not given["--folds"]:
        raise click.UsageError("--calibrate needs --folds: it fits on photos that the detectors have not seen")


def _score_split(
    settings: Mapping[str, Any],
    model: ModelOptions,
    json_target: str | None,
    folder: Path | None,
    *,
    stress: bool,
    quiet: bool,
) -> int:
    """Score a split, as it is or re-framed, and write what was asked for."""
    from maskdet.detector.evaluation.evaluate import VAL_CONF
    from maskdet.detector.evaluation.labelled_split import read_split
    from maskdet.detector.inference.options import DEFAULT_IOU
    from maskdet.weights import checksum, resolve_weights

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


def _guard_outputs(settings: Mapping[str, Any], json_target: str | None, folder: Path | None, *, stress: bool) -> Guard:
    """Make sure, before anything is run, that nothing is destroyed; return what watches over that."""
    from maskdet.files.guard import Guard

    guard = Guard([str(settings["data"]), str(settings.get("model", ""))])
    guard.check_texts({"--json": json_target})
    guard.check_folders({"--save": None if folder is None else str(folder)}, [json_target])
    if folder:
        figures = ("stress.png", "stress.json") if stress else ("pr_curve.png", "confusion_matrix.png", "val.json")
        guard.check_reports(folder, figures)
    return guard


def _show_mistakes(
    settings: Mapping[str, Any],
    model: ModelOptions,
    json_target: str | None,
    mistakes: str,
    guard: Guard,
    *,
    folds: bool,
    quiet: bool,
) -> int:
    """Find the mistakes and write what was asked for."""
    from maskdet.cli import val_mistakes
    from maskdet.detector.evaluation.mistake_pictures import FILES, write_gallery

    guard.check_folders({"--mistakes": mistakes}, [json_target])
    guard.check_reports(Path(mistakes), FILES)
    made = val_mistakes.find(settings, model, folds=folds, quiet=quiet)
    report = made.to_dict(as_typed(settings, made.labelled.data))
    write_text(to_json(report), json_target)
    write_gallery(Path(mistakes), made.labelled, made.found, made.mistakes, conf=made.conf)
    if not quiet:
        if json_target != "-":
            val_mistakes.print_counts(report)
        say(f"pictures and mistakes.csv: {mistakes}")
    return 0


def _calibrate(
    settings: Mapping[str, Any],
    model: ModelOptions,
    json_target: str | None,
    folder: Path | None,
    final: str | None,
    *,
    quiet: bool,
) -> int:
    """Calibrate the folds' detectors and write what was asked for."""
    from maskdet.cli import val_calibration

    report, folds, paths = val_calibration.calibrate(settings, model, final, folder, quiet=quiet)
    command = as_typed(settings, folds.data)
    write_text(to_json(val_calibration.to_dict(report, folds, paths, command)), json_target)
    if folder:
        val_calibration.write_files(report, folds.data, paths, final, folder)
    if not quiet:
        if json_target != "-":
            val_calibration.print_report(report)
        if folder:
            say(f"calibrated detectors and {val_calibration.DIAGRAM}: {folder}")
    return 0


def _score_folds(
    settings: Mapping[str, Any], model: ModelOptions, json_target: str | None, folder: Path | None, *, quiet: bool
) -> int:
    """Cross-validate and write what was asked for."""
    from maskdet.cli import val_folds

    if folder:
        raise click.UsageError("--folds draws no pictures: --json FILE writes its figures")
    report = val_folds.score(settings, model, quiet=quiet)
    report = replace(report, command=as_typed(settings, report.data))
    write_text(to_json(report.to_dict()), json_target)
    if not quiet and json_target != "-":
        val_folds.print_report(report)
    return 0
