"""``maskdet val --folds``: cross-validation, as a table on standard output and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from maskdet.cli.options.model import ModelOptions
from maskdet.errors import WeightsError
from maskdet.terminal.console import console, say
from maskdet.terminal.report_table import fold_cell, report_table

if TYPE_CHECKING:
    from rich.table import Table

    from maskdet.detector.evaluation.folds.cross_validation import FoldScores
    from maskdet.detector.evaluation.folds.fold_set import FoldSet
    from maskdet.detector.evaluation.folds.report import FoldModel, FoldReport
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.detector.inference.postprocess import Detections

#: How the sets of photos are called in headings.
SET_TITLES: Final = {"all": "all photos", "without_series": "without the selfie series"}


def score(settings: Mapping[str, Any], model: ModelOptions, *, quiet: bool) -> FoldReport:
    """Score K detectors on the folds that they have not seen.

    Args:
        settings: checked arguments of ``maskdet val``.
        model: the detectors, with ``{fold}`` in their name.
        quiet: no progress, no notes.

    Raises:
        MaskdetError: data or a model cannot be used.
        click.UsageError: no model is named, or ``split`` is.
    """
    from maskdet.detector.evaluation.evaluate import VAL_CONF
    from maskdet.detector.evaluation.folds.report import score_folds
    from maskdet.detector.inference.options import DEFAULT_IOU

    folds, paths = read(settings, model, quiet=quiet, any_classes=True)
    return score_folds(
        _load(replace(model, weights=str(path)) for path in paths),
        folds,
        conf=settings.get("conf", VAL_CONF),
        iou=settings.get("iou", DEFAULT_IOU),
        batch=settings.get("batch", 16),
        quiet=quiet,
    )


def read(
    settings: Mapping[str, Any], model: ModelOptions, *, quiet: bool, any_classes: bool = False
) -> tuple[FoldSet, list[Path]]:
    """Return the folds, and the file of each fold's detector.

    Raises:
        MaskdetError: data or a model cannot be used.
        click.UsageError: no model is named, or ``split`` is.
    """
    from maskdet.detector.evaluation.folds.cross_validation import fold_models
    from maskdet.detector.evaluation.folds.fold_set import fold_files, folds_folder, read_folds

    if model.weights is None:
        raise click.UsageError("which models? give model=runs/fold{fold}.onnx; {fold} stands for 1, 2, …")
    if "split" in settings:
        raise click.UsageError("split= has no meaning with --folds: each fold is tested on its own photos")
    # What is missing should be said before the photos are read.
    data = str(settings["data"])
    paths = fold_models(model.weights, len(fold_files(folds_folder(data))))
    folds = read_folds(data, quiet=quiet, any_classes=any_classes)
    if not quiet:
        _note(folds.leaks, "groups of alike photos lie in more than one fold: the figures are too good")
        _note(sum(test.repeated for test in folds.tests), "repeated label lines count once")
    return folds, paths


def detect_low(
    model: ModelOptions, paths: Sequence[Path], folds: FoldSet, *, batch: int, quiet: bool, uncalibrated: bool = False
) -> Iterator[list[Detections]]:
    """Yield what each fold's detector reports of its photos, from a low threshold on.

    Raises:
        WeightsError: a file cannot be used, was trained on another fold, or is calibrated where it must not be.
    """
    from maskdet.detector.evaluation.evaluate import detect_low as detect
    from maskdet.detector.evaluation.folds.report import check_unseen
    from maskdet.detector.inference.thresholds import KEY

    for number, (path, test) in enumerate(zip(paths, folds.tests, strict=True), 1):
        detector = replace(model, weights=str(path)).open_detector()
        check_unseen(detector, number)
        if uncalibrated and KEY in detector.metadata:
            raise WeightsError(path, "is calibrated already: give the file as maskdet export wrote it")
        yield detect(detector, test, batch=batch, quiet=quiet)


def _note(count: int, text: str) -> None:
    if count:
        say(f"note: {count} {text}")


def _load(models: Iterable[ModelOptions]) -> Iterator[tuple[MaskDetector, FoldModel]]:
    """Load the detector of each fold when its turn comes.

    Raises:
        WeightsError: a file cannot be used.
        click.UsageError: an input size that the network does not take.
    """
    from maskdet.detector.evaluation.folds.report import FoldModel
    from maskdet.weights import checksum

    for model in models:
        detector = model.open_detector()
        yield detector, FoldModel(detector.info.name, checksum(Path(str(model.weights))), detector.info.imgsz)


def print_report(report: FoldReport) -> None:
    """Print the figures of each set of photos."""
    screen = console()
    for name, scores in report.sets.items():
        screen.print(_table(report, name, scores))
    screen.print(
        f"Mean of the {len(report.models)} folds ± standard deviation, in brackets its 95 % interval over groups of "
        f"alike photos; P, R and F1 above confidence {report.conf} at IoU 0.5.",
        markup=False,
    )


def _table(report: FoldReport, name: str, scores: FoldScores) -> Table:
    title = f"{report.data}, {SET_TITLES[name]}: {sum(scores.photos)} photos in {len(report.models)} folds"
    table = report_table(title, padding=(0, 0, 0, 1))
    table.add_column("side, class", no_wrap=True)
    table.add_column("faces", justify="right", no_wrap=True)
    for label in ("AP50", "AP50-95", "P", "R", "F1"):
        table.add_column(label, no_wrap=True)
    for size, rows in scores.ap["ap50"].items():
        table.add_row(f"[bold]{size}[/bold]")
        for row, figure in rows.items():
            cells = [fold_cell(figure), fold_cell(scores.ap["ap50_95"][size][row])]
            recall = scores.recall[size][row]
            if size == "all":
                point = (scores.point["precision"][row], recall, scores.point["f1"][row])
                cells += map(fold_cell, point)
            else:
                cells += ["", fold_cell(recall), ""]
            table.add_row(row, str(scores.faces[size][row]), *cells)
        table.add_section()
    return table
