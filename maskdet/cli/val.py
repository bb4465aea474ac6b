"""``maskdet val``: a table of figures on standard output; JSON and pictures where asked."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from maskdet.cli.close_ups_option import close_ups_option
from maskdet.cli.report_output import write_text

if TYPE_CHECKING:
    from rich.table import Table

    from maskdet.detector.val_report import Figure, ValReport

#: What may stand before ``=``; the names are those of ``yolo val``.
KEYS: Final = (
    "model",
    "data",
    "split",
    "imgsz",
    "conf",
    "iou",
    "batch",
    "device",
    "runtime",
    "precision",
    "project",
    "name",
    "save_dir",
)


@click.command()
@click.argument("arguments", metavar="KEY=VALUE…", nargs=-1)
@click.option("--json", "json_target", metavar="FILE|-", help="Write every figure as one JSON object.")
@click.option("--save", metavar="DIR", help="Write PR curves and confusion matrix as PNG, and val.json.")
@click.option("--folds", is_flag=True, help="Cross-validate: data= has folds, model= has {fold} in its name.")
@close_ups_option
@click.option("--stress", is_flag=True, help="Re-frame the photos so that faces take 10 to 95 % of the picture.")
@click.option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")
def val(
    arguments: tuple[str, ...],
    json_target: str | None,
    save: str | None,
    folds: bool,
    close_ups: bool | None,
    stress: bool,
    quiet: bool,
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
    save_dir= the same as --save; so is project=DIR name=NAME          nothing is written

    AP is COCO's, with a 95 % interval from 1000 bootstrap samples of the photos. Precision, recall, F1 and the
    confusion matrix are those of `maskdet detect` at its own threshold, confidence 0.25, and IoU 0.5. With --folds,
    data= is what `maskdet convert --folds` wrote, and the figures are the mean of the folds, their standard deviation
    and a 95 % interval from 1000 draws of groups of alike photos.

    --stress cuts pictures around every face, so that it takes 10, 25, 50, 75 and 95 % of the shorter side, and shrinks
    the photos until it is 8 to 16 pixels long; it gives recall and AP50 by that share, and with --save their curve.
    """
    from maskdet.detector.train import parse_arguments

    settings = {key: value for key, value in parse_arguments(arguments).items() if value is not None}
    check_keys(settings)
    if stress and "batch" in settings:
        raise click.UsageError("batch= does not go with --stress, whose pictures have many shapes")
    folder = save_folder(settings, save)
    if folds and stress:
        raise click.UsageError("--folds and --stress are two different tests: give one")
    if folds:
        return _score_folds(settings, json_target, folder, save, close_ups=close_ups, quiet=quiet)

    from maskdet.detector.evaluate import VAL_CONF
    from maskdet.detector.labelled import read_split
    from maskdet.detector.model import DEFAULT_IOU, MaskDetector
    from maskdet.extras import require
    from maskdet.weights import checksum, resolve_weights

    # What is missing should be said before the photos are run, not after.
    require("faster_coco_eval", what="maskdet val", extra="train")
    if folder:
        require("matplotlib", what="--save", extra="plots")
    labelled = read_split(str(settings["data"]), str(settings.get("split", "val")))
    weights = str(settings["model"]) if "model" in settings else None
    try:
        detector = MaskDetector(
            weights,
            imgsz=settings.get("imgsz"),
            close_ups=close_ups,
            device=str(settings.get("device", "cpu")),
            runtime=settings.get("runtime", "auto"),
            precision=settings.get("precision", "fp32"),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if labelled.repeated and not quiet:
        click.echo(f"note: {labelled.repeated} repeated label lines count once", err=True)
    thresholds = {"conf": settings.get("conf", VAL_CONF), "iou": settings.get("iou", DEFAULT_IOU)}
    digest = checksum(resolve_weights(weights)[1])
    command = command_line(settings, labelled.data, json_target, save, stress=stress, close_ups=close_ups)
    if stress:
        from maskdet.cli.val_stress import print_scales, write_scales
        from maskdet.detector.scale_score import stress as stress_detector

        scales = stress_detector(detector, labelled, **thresholds, quiet=quiet)
        scales = replace(scales, sha256=digest, command=command)
        write_scales(scales, json_target, folder)
        if not quiet and json_target != "-":
            print_scales(scales)
    else:
        from maskdet.detector.evaluate import evaluate

        report = evaluate(detector, labelled, **thresholds, batch=settings.get("batch", 16), quiet=quiet)
        report = replace(report, sha256=digest, command=command)
        write(report, json_target, folder)
        if not quiet and json_target != "-":
            print_report(report)
    if folder and not quiet:
        click.echo(f"pictures: {folder}", err=True)
    return 0


def _score_folds(
    settings: Mapping[str, Any],
    json_target: str | None,
    folder: Path | None,
    save: str | None,
    *,
    close_ups: bool | None,
    quiet: bool,
) -> int:
    """Cross-validate and write what was asked for."""
    from maskdet.cli import val_folds
    from maskdet.extras import require

    require("faster_coco_eval", what="maskdet val", extra="train")
    if folder:
        raise click.UsageError("--folds draws no pictures: --json FILE writes its figures")
    report = val_folds.score(settings, close_ups=close_ups, quiet=quiet)
    command = command_line(settings, report.data, json_target, save, close_ups=close_ups) + " --folds"
    text = json.dumps(val_folds.with_command(report, command).to_dict(), indent=1, ensure_ascii=False) + "\n"
    write_text(text, json_target)
    if not quiet and json_target != "-":
        val_folds.print_report(report)
    return 0


def check_keys(settings: Mapping[str, Any]) -> None:
    """Refuse unknown keys, values of the wrong kind, and a call without data.

    Raises:
        click.UsageError: one of these.
    """
    for key in settings:
        if key not in KEYS:
            close = get_close_matches(key, KEYS, n=1)
            raise click.UsageError(
                f"unknown argument {key}=; " + (f"did you mean {close[0]}=?" if close else f"known: {', '.join(KEYS)}")
            )
    for key in ("conf", "iou"):
        value = settings.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise click.UsageError(f"{key}={value}: expected a number from 0 to 1")
    for key in ("imgsz", "batch"):
        value = settings.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise click.UsageError(f"{key}={value}: expected a whole number from 1 on")
    if "data" not in settings:
        raise click.UsageError("which data? give data=…/data.yaml, as written by `maskdet convert`")


def save_folder(settings: Mapping[str, Any], save: str | None) -> Path | None:
    """Return where pictures go: ``--save``, ``save_dir=`` or ``project=``/``name=``, None where none is given.

    Raises:
        click.UsageError: more than one is given.
    """
    named = "project" in settings or "name" in settings
    if (save is not None) + ("save_dir" in settings) + named > 1:
        raise click.UsageError("give one of --save, save_dir= and project=/name=")
    if save is not None or "save_dir" in settings:
        return Path(save if save is not None else str(settings["save_dir"]))
    if named:
        return Path(str(settings.get("project", "runs/detect"))) / str(settings.get("name", "val"))
    return None


def command_line(
    settings: Mapping[str, Any],
    data: str,
    json_target: str | None,
    save: str | None,
    *,
    stress: bool = False,
    close_ups: bool | None = None,
) -> str:
    """Return the command that made a report, without the folders of the machine it ran on.

    Args:
        settings: the ``key=value`` arguments given.
        data: folder and name of the ``data.yaml``.
        json_target: what ``--json`` was given.
        save: what ``--save`` was given.
        stress: whether ``--stress`` was.
        close_ups: what ``--close-ups`` was, None for neither.
    """
    words = ["maskdet", "val"]
    for key, value in settings.items():
        shown = data if key == "data" else Path(str(value)).name if key in {"model", "project", "save_dir"} else value
        words.append(f"{key}={shown}")
    if close_ups is not None:
        words.append("--close-ups" if close_ups else "--no-close-ups")
    if stress:
        words.append("--stress")
    if json_target is not None:
        words += ["--json", Path(json_target).name]
    if save is not None:
        words += ["--save", Path(save).name]
    return shlex.join(words)


def write(report: ValReport, json_target: str | None, folder: Path | None) -> None:
    """Write the JSON and the pictures that were asked for.

    Raises:
        SourceError: a file cannot be written.
    """
    from maskdet.writers.atomic import write_bytes

    text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
    write_text(text, json_target)
    if folder:
        from maskdet.detector.score_plots import save_plots

        save_plots(report, folder)
        write_bytes(folder / "val.json", text.encode())


def print_report(report: ValReport) -> None:
    """Print the figures as two tables."""
    from maskdet.writers.table import console

    screen = console()
    screen.print(_figures_table(report, screen.width))
    screen.print("In brackets the 95 % interval; P, R and F1 as `maskdet detect` reports.\n", markup=False)
    screen.print(_confusion_table(report, screen.width))


def empty_table(title: str, width: int) -> Table:
    """Return an empty table without lines between its columns, so that it fits 80 columns too."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    padding = (0, 1) if width >= 100 else (0, 0)
    return Table(
        title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, show_edge=False, padding=padding
    )


def _figures_table(report: ValReport, width: int) -> Table:
    from maskdet.classes import CLASS_NAMES

    photos = f"{report.photos} photo{'' if report.photos == 1 else 's'}"
    title = f"{report.model}, {report.imgsz} px, on {report.data} ({report.split}, {photos})"
    table = empty_table(title, width)
    table.add_column("side, class", no_wrap=True)
    table.add_column("faces", justify="right")
    for label in ("AP50", "AP50-95"):
        table.add_column(label, no_wrap=True)
    for label in ("P", "R", "F1"):
        table.add_column(label, justify="right")
    for size, rows in report.ap.items():
        table.add_row(f"[bold]{size}[/bold]")
        for name, row in rows.items():
            shown = ["", "", ""]
            if size == "all":
                point = report.point
                shown = [
                    _show(
                        getattr(point.classes[CLASS_NAMES.index(name)], figure)
                        if name in CLASS_NAMES
                        else point.mean(figure)
                    )
                    for figure in ("precision", "recall", "f1")
                ]
            table.add_row(name, str(row.faces), show_interval(row.ap50), show_interval(row.ap50_95), *shown)
        table.add_section()
    return table


def _show(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def show_interval(figure: Figure) -> str:
    """Return a figure with its interval dimmed behind it, for a cell of a table."""
    if figure.low is None or figure.high is None:
        return _show(figure.value)
    low, high = (f"{end:.2f}".removeprefix("0") for end in (figure.low, figure.high))
    return f"{_show(figure.value)} [dim]({low}–{high})[/dim]"


def _confusion_table(report: ValReport, width: int) -> Table:
    from maskdet.classes import CLASS_NAMES

    labels = [*CLASS_NAMES, "background"]
    title = f"labelled ↓, detected → above confidence {report.point.conf}, IoU from {report.point.iou}"
    table = empty_table(title, width)
    table.add_column("", no_wrap=True)
    for label in labels:
        table.add_column(label, justify="right", overflow="fold")
    for row, label in enumerate(labels):
        counts = [str(count) if count else "·" for count in report.point.confusion[row].tolist()]
        table.add_row(label, *counts)
    return table
