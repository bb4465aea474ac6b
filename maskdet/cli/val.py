"""``maskdet val``: a table of figures on standard output; JSON and pictures where asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli import EXIT_DONE, val_runs, val_tables
from maskdet.cli.options import option, options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.report_output import write_report
from maskdet.cli.seen import warn_of_seen
from maskdet.cli.val_arguments import as_typed, check_keys, model_options, save_folder
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.detector.evaluation.labelled_split import LabelledSplit
    from maskdet.files.guard import Guard

#: What ``--save`` writes: of a split as it is, and of one re-framed.
_FIGURES = {False: ("pr_curve.png", "confusion_matrix.png", "val.json"), True: ("stress.png", "stress.json")}


@dataclass(frozen=True, kw_only=True)
class ValOptions:
    """Which test is run, and what is written of it."""

    json: str | None = option("--json", metavar="FILE|-", help="Write every figure as one JSON object.")
    save: str | None = option(
        "--save", metavar="DIR", help="Write PR curves and confusion matrix as PNG, and val.json."
    )
    folds: bool = option(
        "--folds", is_flag=True, help="Cross-validate: data= has folds, model= has {fold} in its name."
    )
    stress: bool = option(
        "--stress", is_flag=True, help="Re-frame the photos so that faces take 10 to 95 % of the picture."
    )
    near_copies: bool = option(
        "--near-copies", is_flag=True, help="Score also without the photos that resemble those of the split train."
    )
    mistakes: str | None = option(
        "--mistakes", metavar="DIR", help="Write what fails: a gallery by size and class, and a CSV."
    )
    calibrate: bool = option(
        "--calibrate",
        is_flag=True,
        help="Make confidences probabilities, and choose thresholds; --save writes the files.",
    )
    final: str | None = option(
        "--final", metavar="FILE", help="With --calibrate: calibrate this detector too, trained on all photos."
    )
    quiet: bool = option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")

    @property
    def table(self) -> bool:
        """Whether figures are printed."""
        return not self.quiet and self.json != "-"

    def check(self) -> None:
        """Refuse two tests at once; the folds are a test of their own, or what two others look at.

        Raises:
            click.UsageError: there are two.
        """
        given = {
            "--folds": self.folds and not (self.mistakes or self.calibrate),
            "--stress": self.stress,
            "--mistakes": self.mistakes,
            "--calibrate": self.calibrate,
        }
        tests = [name for name, on in given.items() if on]
        if len(tests) > 1:
            raise click.UsageError(f"{' and '.join(tests)} are two different tests: give one")
        if self.near_copies and (tests or self.folds):
            raise click.UsageError("--near-copies goes with the plain score of a split")


@click.command()
@click.argument("arguments", metavar="KEY=VALUE…", nargs=-1)
@options("json", "save", "folds", asked=ValOptions)
@options("classifier", "close_ups", "augment", "trust_weights", model=ModelOptions)
@options("stress", "near_copies", "mistakes", "calibrate", "final", "quiet", asked=ValOptions)
def val(arguments: tuple[str, ...], *, asked: ValOptions, model: ModelOptions) -> int:
    """Score a detector on a labelled split, with the arguments of `yolo val`.

    \b
    maskdet val data=mydata/data.yaml                              the shipped model on the split "val"
    maskdet val model=runs/detect/train/weights/best.pt data=mydata/data.yaml split=test
    maskdet val model=best.onnx data=mydata/data.yaml --save report --json figures.json
    maskdet val model=runs/fold{fold}.onnx data=folds --folds      K detectors, each on the fold it has not seen
    maskdet val data=mydata/data.yaml --stress                     how recall depends on the size of a face
    maskdet val data=mydata/data.yaml --mistakes mistakes          what fails, and labels that look wrong
    maskdet val data=public/data.yaml --near-copies                beside it: without photos that resemble trained ones
    maskdet val model=runs/fold{fold}.onnx data=folds --folds --calibrate --save calibrated
    maskdet val model=best.onnx data=heldout/data.yaml --calibrate --save calibrated   thresholds, of the chain too

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

    AP is COCO's, with a 95 % interval from 1000 bootstrap samples of the photos. It counts, as `yolo val` does, every
    class of a box from conf= on the score as trained; AP of the one class a box that `maskdet detect` reports, from
    0.001 on the confidence as calibrated, stands beside it. Precision, recall, F1 and the confusion matrix are
    those of `maskdet detect --mode detect --conf 0.25`, at IoU 0.5. --near-copies scores also
    without the photos that are alike to one of the split train, as `maskdet data check` finds them, and without the
    public data's selfie series, with intervals from draws of photos and of groups of alike photos. With --folds,
    data= is what `maskdet convert --folds` wrote, or what `maskdet compare --folds --answers` kept, which asks no
    model, and the figures are the mean of the folds, their standard deviation
    and a 95 % interval from 1000 draws of groups of alike photos.

    --stress cuts pictures around every face, so that it takes 10, 25, 50, 75 and 95 % of the shorter side, and shrinks
    the photos until it is 8 to 16 pixels long; it gives recall and AP50 by that share, and with --save their curve.

    --mistakes counts faces missed, found as another class or twice, and boxes where none is labelled, above conf=
    (0.25); its pictures show the worst first, labelled boxes solid and found ones dashed. --calibrate fits a
    temperature and a bias a class on detections of photos that the detector has not seen: of the folds' detectors, or
    of one detector on a split; the calibration error is of each part of the photos by what the others say, pooled and
    by class. On a split it also chooses the thresholds that `maskdet detect` uses, for the detector alone and for the
    chain with --classifier: for each class that of the best F1, one answer a face, that of a class with few faces drawn
    towards that of all. --save writes the detectors, and with --folds the reliability diagram.
    """
    from maskdet.detector.training.arguments import parse_arguments
    from maskdet.extras import require

    settings = {key: value for key, value in parse_arguments(arguments).items() if value is not None}
    check_keys(settings)
    settings |= {key: True for key in ("trust_weights", "augment") if getattr(model, key)}
    model = model_options(settings, model)
    if asked.stress and "batch" in settings:
        raise click.UsageError("batch= does not go with --stress, whose pictures have many shapes")
    folder = save_folder(settings, asked.save)
    asked.check()
    if asked.final and not (asked.calibrate and asked.folds and folder):
        raise click.UsageError("--final goes with --folds, --calibrate and --save")
    guard = _guard_outputs(settings, asked, folder)
    # What is missing should be said before the photos are run, not after.
    require("faster_coco_eval", what="maskdet val", extra="train")
    if asked.mistakes:
        _show_mistakes(settings, model, asked, guard)
        return EXIT_DONE
    if asked.folds and not asked.calibrate:
        if folder:
            raise click.UsageError("--folds draws no pictures: --json FILE writes its figures")
        _score_folds(settings, model, asked)
        return EXIT_DONE
    if asked.calibrate and not asked.folds:
        _choose_thresholds(settings, model, asked, folder)
        return EXIT_DONE
    if folder:
        require("matplotlib", what="--save", extra="plots")
    if asked.calibrate:
        _calibrate(settings, model, asked, folder)
    else:
        _score_split(settings, model, asked, folder)
    return EXIT_DONE


def _guard_outputs(settings: Mapping[str, Any], asked: ValOptions, folder: Path | None) -> Guard:
    """Make sure, before anything is run, that nothing is destroyed; return what watches over that."""
    from maskdet.files.guard import Guard

    guard = Guard([str(settings["data"]), str(settings.get("model", ""))])
    guard.check_texts({"--json": asked.json})
    guard.check_folders({"--save": None if folder is None else str(folder)}, [asked.json])
    if folder:
        guard.check_reports(folder, _FIGURES[asked.stress])
    return guard


def _score_split(settings: Mapping[str, Any], model: ModelOptions, asked: ValOptions, folder: Path | None) -> None:
    """Score a split, as it is or re-framed, and write what was asked for."""
    from maskdet.detector.evaluation.evaluate import VAL_CONF
    from maskdet.detector.evaluation.labelled_split import read_split
    from maskdet.detector.inference.options import DEFAULT_IOU
    from maskdet.weights import checksum, resolve_weights

    labelled = read_split(str(settings["data"]), str(settings.get("split", "val")), any_classes=not asked.stress)
    detector = model.open_detector()
    if not asked.quiet:
        _say_notes(labelled, detector.names)
        warn_of_seen(detector.info.name, detector.metadata, resolve_weights(model.weights)[1], labelled.photos)
    thresholds = {"conf": settings.get("conf", VAL_CONF), "iou": settings.get("iou", DEFAULT_IOU)}
    digest, command = checksum(resolve_weights(model.weights)[1]), as_typed(settings, labelled.data)
    beside = folder and folder / _FIGURES[asked.stress][-1]
    if asked.stress:
        from maskdet.detector.evaluation.plots import save_curve
        from maskdet.detector.evaluation.stress import stress

        scales = replace(stress(detector, labelled, **thresholds, quiet=asked.quiet), sha256=digest, command=command)
        write_report(scales.to_dict(), asked.json, beside)
        if folder:
            save_curve(scales, folder)
        if asked.table:
            val_tables.print_scales(scales)
    else:
        from maskdet.detector.evaluation.evaluate import evaluate
        from maskdet.detector.evaluation.plots import save_plots

        near = val_runs.near_trained(settings, labelled, quiet=asked.quiet) if asked.near_copies else None
        batch = settings.get("batch", 16)
        report = evaluate(detector, labelled, **thresholds, batch=batch, near=near, quiet=asked.quiet)
        report = replace(report, sha256=digest, command=command)
        write_report(report.to_dict(), asked.json, beside)
        if folder:
            save_plots(report, folder)
        if asked.table:
            val_tables.print_report(report)
    if folder and not asked.quiet:
        say(f"pictures: {folder}")


def _say_notes(labelled: LabelledSplit, names: Sequence[str]) -> None:
    """Say what of the labels, and of a model's classes, does not count."""
    from maskdet.detector.evaluation.labelled_split import unmatched

    if labelled.repeated:
        say(f"note: {labelled.repeated} repeated label lines count once")
    if labelled.empty:
        say(f"note: {labelled.empty} label lines without area are left out")
    if apart := unmatched(names, labelled.spelled_as(names).names):
        say(f"note: {apart}")


def _score_folds(settings: Mapping[str, Any], model: ModelOptions, asked: ValOptions) -> None:
    """Cross-validate and write what was asked for."""
    report = val_runs.score_folds(settings, model, quiet=asked.quiet)
    given = Path(str(settings["data"]))  # kept answers go by their file's name, not by that of the data they are of
    report = replace(report, command=as_typed(settings, given.name if given.is_file() else report.data))
    write_report(report.to_dict(), asked.json, indent=1)
    if asked.table:
        val_tables.print_folds(report)


def _show_mistakes(settings: Mapping[str, Any], model: ModelOptions, asked: ValOptions, guard: Guard) -> None:
    """Find the mistakes and write what was asked for."""
    from maskdet.detector.evaluation.mistake_pictures import FILES, write_gallery

    folder = Path(str(asked.mistakes))
    guard.check_folders({"--mistakes": asked.mistakes}, [asked.json])
    guard.check_reports(folder, FILES)
    made = val_runs.find_mistakes(settings, model, folds=asked.folds, quiet=asked.quiet)
    report = made.to_dict(as_typed(settings, made.labelled.data))
    write_report(report, asked.json, indent=1)
    write_gallery(folder, made.labelled, made.found, made.mistakes, conf=made.conf)
    if asked.table:
        val_tables.print_mistakes(report)
    if not asked.quiet:
        say(f"pictures and mistakes.csv: {asked.mistakes}")


def _choose_thresholds(
    settings: Mapping[str, Any], model: ModelOptions, asked: ValOptions, folder: Path | None
) -> None:
    """Choose one detector's thresholds and write what was asked for."""
    from maskdet.cli.val_thresholds import choose

    chosen = choose(settings, model, folder, quiet=asked.quiet)
    write_report(chosen.to_dict(as_typed(settings, chosen.thresholds.data)), asked.json, indent=1)
    if folder:
        chosen.write(folder)
    if asked.table:
        chosen.print()
    if folder and not asked.quiet:
        say(f"calibrated detector: {folder / chosen.path.name}")


def _calibrate(settings: Mapping[str, Any], model: ModelOptions, asked: ValOptions, folder: Path | None) -> None:
    """Calibrate the folds' detectors and write what was asked for."""
    made = val_runs.calibrate(settings, model, asked.final, folder, quiet=asked.quiet)
    write_report(made.to_dict(as_typed(settings, made.folds.data)), asked.json, indent=1)
    if folder:
        made.write(folder)
    if asked.table:
        val_tables.print_calibration(made.report)
    if folder and not asked.quiet:
        say(f"calibrated detectors and {val_runs.DIAGRAM}: {folder}")
