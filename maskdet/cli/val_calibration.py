"""``maskdet val --folds --calibrate``: confidences that are probabilities, fitted, measured, and written into files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli.options.model import ModelOptions
from maskdet.cli.val_folds import detect_low, read
from maskdet.terminal.console import console
from maskdet.terminal.report_table import figure_cell, report_table, three_decimals

if TYPE_CHECKING:
    from maskdet.detector.evaluation.calibration.report import CalibrationReport
    from maskdet.detector.evaluation.folds.fold_set import FoldSet

#: The diagram that is written beside the calibrated files.
DIAGRAM = "reliability.png"


def calibrate(
    settings: Mapping[str, Any], model: ModelOptions, final: str | None, folder: Path | None, *, quiet: bool
) -> tuple[CalibrationReport, FoldSet, list[Path]]:
    """Fit on each fold's detections, measure each fold by the others; return the figures, the folds, the models' files.

    Args:
        settings: checked arguments of ``maskdet val``.
        model: the detectors, with ``{fold}`` in their name.
        final: one more file that is to be calibrated.
        folder: where the files will go, None for nowhere.
        quiet: no progress, no notes.

    Raises:
        MaskdetError: data or a model cannot be used.
        click.UsageError: no model is named, ``split`` or ``conf`` is, or the detections cannot be calibrated.
    """
    from maskdet.detector.evaluation.calibration.report import calibrate_folds

    if "conf" in settings:
        raise click.UsageError("conf= has no meaning with --calibrate, which chooses thresholds")
    folds, paths = read(settings, model, quiet=quiet)
    if folder:
        check_targets(paths, final, folder)
    batch = settings.get("batch", 16)
    found = list(detect_low(model, paths, folds, batch=batch, quiet=quiet, uncalibrated=True))
    try:
        return calibrate_folds(folds, found), folds, paths
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def check_targets(paths: Sequence[Path], final: str | None, folder: Path) -> None:
    """Refuse a folder in which a detector that is read, or somebody else's file, would be written over.

    Raises:
        SourceError: it is one.
    """
    from maskdet.files.guard import Guard

    files = [*paths, *([Path(final)] if final else [])]
    guard = Guard(files)
    guard.check_reports(folder, [DIAGRAM])
    for path in files:
        guard.check_model(folder / path.name)


def write_files(
    report: CalibrationReport, data: str, paths: Sequence[Path], final: str | None, folder: Path
) -> list[Path]:
    """Write each fold's detector, calibrated by the other folds, ``final`` by all of them, and the diagram.

    Raises:
        WeightsError: a file is no ONNX detector that can be calibrated.
        SourceError: a file cannot be written.
    """
    from maskdet.detector.evaluation.calibration.plot import reliability_diagram
    from maskdet.detector.evaluation.calibration.report import THRESHOLDS
    from maskdet.detector.export.calibrated_onnx import write_calibration
    from maskdet.files.atomic import write_bytes
    from maskdet.imaging.encode import png

    method, notes = report.methods[report.chosen], report.notes(data)
    calibrations = list(zip(paths, method.folds, strict=True))
    if final:
        calibrations.append((Path(final), method.final))
    written = [write_calibration(path, folder / path.name, one, notes) for path, one in calibrations]
    panels = [("as trained", report.methods["none"].confidences), ("calibrated", method.confidences)]
    diagram = reliability_diagram(panels, report.judged.right, least=THRESHOLDS[0])
    return [*written, write_bytes(folder / DIAGRAM, png(diagram, dpi=110))]


def to_dict(report: CalibrationReport, folds: FoldSet, paths: Sequence[Path], command: str) -> dict[str, Any]:
    """Return the report in its schema."""
    from maskdet.weights import checksum

    photos = sum(len(test.photos) for test in folds.tests)
    return {
        **report.to_dict(),
        "command": command,
        "data": {"name": folds.data, "folds": len(paths), "photos": photos},
        "models": [{"name": path.stem, "sha256": checksum(path)} for path in paths],
    }


def print_report(report: CalibrationReport) -> None:
    """Print what calibrating changes, and the thresholds with the best F1."""
    from maskdet.detector.evaluation.calibration.report import THRESHOLDS

    screen = console()
    table = report_table("Calibration error, each fold calibrated by what the others say")
    for name in ("method", "temperature", "bias", *(f"ECE above {limit}" for limit in THRESHOLDS)):
        table.add_column(name, no_wrap=True)
    for name, method in report.methods.items():
        fitted = (three_decimals(method.final.temperature), three_decimals(method.final.bias))
        table.add_row(name, *fitted, *(figure_cell(method.errors[limit]) for limit in THRESHOLDS))
    screen.print(table)
    table = report_table("Confidence thresholds, chosen on the other folds")
    for name in ("chosen", "with / without / incorrect", "mean F1", "beside the default"):
        table.add_column(name, no_wrap=True)
    for name, way in report.thresholds.items():
        limits = " / ".join(three_decimals(limit) for limit in way.final)
        table.add_row(name, limits, figure_cell(way.figures["f1"]["mean"]), figure_cell(way.gain["mean"]))
    screen.print(table)
