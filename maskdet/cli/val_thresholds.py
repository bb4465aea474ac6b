"""``maskdet val --calibrate`` on a split: a detector's calibration and its own thresholds, written into a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from maskdet.classes import CLASS_NAMES
from maskdet.cli.options.model import ModelOptions
from maskdet.terminal.console import console
from maskdet.terminal.report_table import report_table

if TYPE_CHECKING:
    from maskdet.chain.evaluation.thresholds import Thresholds


@dataclass(frozen=True, kw_only=True)
class ChosenThresholds:
    """What was chosen, and the file that it is for."""

    thresholds: Thresholds
    path: Path

    def to_dict(self, command: str) -> dict[str, Any]:
        """Return the figures in the ``maskdet-thresholds/1`` schema."""
        from maskdet.weights import identify

        return {**self.thresholds.to_dict(), "command": command, "model": identify(self.path)}

    def write(self, folder: Path) -> None:
        """Write the detector with what was chosen.

        Raises:
            WeightsError: the file is no ONNX detector that can be calibrated.
            SourceError: it cannot be written.
        """
        from maskdet.detector.export.calibrated_onnx import without_calibration, write_calibration

        target = folder / self.path.name
        folder.mkdir(parents=True, exist_ok=True)
        without_calibration(self.path, target)
        write_calibration(target, target, self.thresholds.calibration, self.thresholds.notes())

    def print(self) -> None:
        """Print the thresholds of both modes."""
        chosen = self.thresholds
        title = f"{self.path.stem}: thresholds chosen on {chosen.photos} photos of {chosen.data}"
        table = report_table(title, padding=(0, 0, 0, 1))
        for head in ("mode", "class", "faces", "best F1 at", "chosen", f"F1 above {0.25}", "F1 above it"):
            table.add_column(head, no_wrap=True)
        for mode, one in (("detect", chosen.detect), (f"chain, {chosen.classifier}", chosen.chain)):
            for at, name in enumerate(CLASS_NAMES):
                numbers = (one.best[at], one.chosen[at], *one.f1[at])
                cells = [f"{number:.3f}" for number in numbers]
                table.add_row("" if at else mode, name, str(chosen.faces[at]), *cells)
            table.add_section()
        console().print(table)


def choose(settings: Mapping[str, Any], model: ModelOptions, folder: Path | None, *, quiet: bool) -> ChosenThresholds:
    """Choose on the split of ``settings``, with the classifier of ``model``; a calibrated file is calibrated anew.

    Raises:
        MaskdetError: data or a model cannot be used, or a file that is not ours would be written over.
        click.UsageError: ``conf`` is given, or the detections cannot be calibrated.
    """
    from maskdet.chain.evaluation.thresholds import choose_thresholds
    from maskdet.detector.evaluation.labelled_split import read_split
    from maskdet.detector.export.calibrated_onnx import without_calibration
    from maskdet.detector.inference.thresholds import KEY
    from maskdet.files.guard import Guard
    from maskdet.weights import checksum, resolve_weights

    if "conf" in settings:
        raise click.UsageError("conf= has no meaning with --calibrate, which chooses thresholds")
    path, other = resolve_weights(model.weights)[1], resolve_weights(model.classifier, "classify")[1]
    if folder:
        Guard([str(path), str(other)]).check_model(folder / path.name)
    labelled = read_split(str(settings["data"]), str(settings.get("split", "val")))
    with TemporaryDirectory() as scratch:
        detector, classifier = model.open_detector(), model.open_classifier()
        if KEY in detector.metadata:
            bare = without_calibration(path, Path(scratch) / path.name)
            detector = replace(model, weights=str(bare)).open_detector()
        try:
            chosen = choose_thresholds(detector, classifier, labelled, classifier_sha256=checksum(other), quiet=quiet)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    return ChosenThresholds(thresholds=chosen, path=path)
