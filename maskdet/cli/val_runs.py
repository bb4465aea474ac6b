"""The tests of ``maskdet val`` beside that of a split: cross-validation, the mistakes, and calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from maskdet.cli.options.model import ModelOptions
from maskdet.errors import WeightsError
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.detector.evaluation.folds.calibration import CalibrationReport
    from maskdet.detector.evaluation.folds.fold_set import FoldSet
    from maskdet.detector.evaluation.folds.report import FoldModel, FoldReport
    from maskdet.detector.evaluation.labelled_split import LabelledSplit
    from maskdet.detector.evaluation.mistakes import Mistake
    from maskdet.detector.evaluation.near_training import NearPhotos
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.detector.inference.postprocess import Detections

MISTAKES_SCHEMA: Final = "maskdet-mistakes/1"

#: The diagram that is written beside the calibrated files.
DIAGRAM: Final = "reliability.png"


def near_trained(settings: Mapping[str, Any], labelled: LabelledSplit, *, quiet: bool) -> NearPhotos:
    """Find out which photos of a split resemble those of the data set's split ``train``.

    Raises:
        MaskdetError: that split is not there, or a photo cannot be read.
    """
    from maskdet.datasets.yolo.data_yaml import find_data_yaml, read_data_yaml
    from maskdet.detector.evaluation.near_training import find_near

    description = read_data_yaml(find_data_yaml(str(settings["data"])))
    description.require("train")
    return find_near(labelled.photos, description.pictures("train"), quiet=quiet)


def score_folds(settings: Mapping[str, Any], model: ModelOptions, *, quiet: bool) -> FoldReport:
    """Score K detectors (``{fold}`` in their name) on the folds that they have not seen.

    Raises:
        MaskdetError: data or a model cannot be used.
        click.UsageError: no model is named, or ``split`` is, or an input size that a network does not take.
    """
    from maskdet.chain.evaluation.answers_file import ENDING, detections, read_answers
    from maskdet.detector.evaluation.evaluate import RESAMPLES, SEED, VAL_CONF
    from maskdet.detector.evaluation.folds.report import FoldModel, score_found
    from maskdet.detector.evaluation.folds.report import score_folds as score
    from maskdet.detector.evaluation.report import Settings as EvaluationSettings
    from maskdet.detector.inference.options import DEFAULT_IOU
    from maskdet.detector.inference.postprocess import MAX_DETECTIONS
    from maskdet.weights import checksum

    data = str(settings["data"])
    if data.endswith(ENDING):
        if model.weights is not None:
            raise click.UsageError(f"{data} holds what models said: leave out model=")
        kept = read_answers(Path(data))
        done = EvaluationSettings(kept.ap_conf, kept.iou, MAX_DETECTIONS, RESAMPLES, SEED)
        return score_found(kept.folds, *detections(kept), tuple(first for first, _ in kept.models), done)
    folds, paths = read(settings, model, quiet=quiet, any_classes=True)

    def load() -> Iterator[tuple[MaskDetector, FoldModel]]:
        for path in paths:  # each when its turn comes
            detector = replace(model, weights=str(path)).open_detector()
            yield detector, FoldModel(detector.info.name, checksum(path), detector.info.imgsz)

    conf, iou = settings.get("conf", VAL_CONF), settings.get("iou", DEFAULT_IOU)
    return score(load(), folds, conf=conf, iou=iou, batch=settings.get("batch", 16), quiet=quiet)


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
    wanted = [file.stem for file in fold_files(folds_folder(data))]
    paths = fold_models(model.weights, wanted)
    folds = read_folds(data, parts=paths, quiet=quiet, any_classes=any_classes)
    if len(paths) < len(wanted) and not quiet:
        say("note: no detector for {fold} = series: the selfie series is not scored")
    notes = {
        "groups of alike photos lie in more than one fold: the figures are too good": folds.leaks,
        "repeated label lines count once": sum(test.repeated for test in folds.tests),
    }
    for text, count in notes.items():
        if count and not quiet:
            say(f"note: {count} {text}")
    return folds, list(paths.values())


def detect_low(
    model: ModelOptions, paths: Sequence[Path], folds: FoldSet, *, batch: int, quiet: bool, uncalibrated: bool = False
) -> Iterator[list[Detections]]:
    """Yield what each fold's detector reports of its photos, from a low threshold on.

    Raises:
        WeightsError: a file cannot be used, was trained on another fold, or is calibrated where it must not be.
    """
    from maskdet.detector.evaluation.evaluate import detect_low as detect
    from maskdet.detector.evaluation.folds.unseen import check_unseen
    from maskdet.detector.inference.thresholds import KEY

    for path, test, part in zip(paths, folds.tests, folds.names, strict=True):
        detector = replace(model, weights=str(path)).open_detector()
        check_unseen(detector.metadata, detector.info.name, test.photos, part)
        if uncalibrated and KEY in detector.metadata:
            raise WeightsError(path, "is calibrated already: give the file as maskdet export wrote it")
        yield detect(detector, test, batch=batch, quiet=quiet)


@dataclass(frozen=True, kw_only=True)
class FoundMistakes:
    """The mistakes of a detector, or of one a fold, the worst first, and what they were found on."""

    labelled: LabelledSplit
    found: Sequence[Detections]
    mistakes: Sequence[Mistake]
    models: Sequence[Path]
    conf: float

    def to_dict(self, command: str) -> dict[str, Any]:
        """Return the counts in the ``maskdet-mistakes/1`` schema."""
        from maskdet.detector.evaluation.mistakes import DOUBTFUL_CONF, FOUND_IOU, NEAR_IOU, count_mistakes
        from maskdet.weights import identify

        labelled = self.labelled
        limits = {"found_iou": FOUND_IOU, "near_iou": NEAR_IOU, "doubtful_conf": DOUBTFUL_CONF}
        return {
            "schema": MISTAKES_SCHEMA,
            "command": command,
            "data": {"name": labelled.data, "split": labelled.split, "photos": len(labelled.photos)},
            "models": [identify(path) for path in self.models],
            "settings": {"conf": self.conf, **limits},
            **count_mistakes(labelled.truths, self.mistakes),
        }


def find_mistakes(settings: Mapping[str, Any], model: ModelOptions, *, folds: bool, quiet: bool) -> FoundMistakes:
    """Run the detector, or each fold's on the photos that it has not seen, and find its mistakes.

    Raises:
        MaskdetError: data or a model cannot be used.
        click.UsageError: ``--folds`` without models, or with a split.
    """
    from maskdet.detector.evaluation.labelled_split import read_split
    from maskdet.detector.evaluation.mistakes import find_mistakes as find
    from maskdet.detector.evaluation.mistakes import worst_first
    from maskdet.detector.inference.options import DEFAULT_CONF
    from maskdet.weights import resolve_weights

    batch = settings.get("batch", 16)
    if folds:
        fold_set, models = read(settings, model, quiet=quiet)
        labelled = fold_set.pooled
        found = [one for fold in detect_low(model, models, fold_set, batch=batch, quiet=quiet) for one in fold]
    else:
        from maskdet.detector.evaluation.evaluate import detect_low as detect

        labelled = read_split(str(settings["data"]), str(settings.get("split", "val")))
        models = [resolve_weights(model.weights)[1]]
        found = detect(model.open_detector(), labelled, batch=batch, quiet=quiet)
    conf = settings.get("conf", DEFAULT_CONF)
    mistakes = worst_first(find(labelled.truths, found, conf=conf))
    return FoundMistakes(labelled=labelled, found=found, mistakes=mistakes, models=models, conf=conf)


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What calibrating changes, and the files that it is about: each fold's detector, and one of all photos."""

    report: CalibrationReport
    folds: FoldSet
    paths: Sequence[Path]
    final: Path | None

    def to_dict(self, command: str) -> dict[str, Any]:
        """Return the report in its schema."""
        from maskdet.weights import identify

        photos = sum(len(test.photos) for test in self.folds.tests)
        return {
            **self.report.to_dict(),
            "command": command,
            "data": {"name": self.folds.data, "folds": len(self.folds.averaged), "photos": photos},
            "models": [identify(path) for path in self.paths],
        }

    def write(self, folder: Path) -> None:
        """Write each fold's detector, calibrated by the other folds, ``final`` by all of them, and the diagram.

        Raises:
            WeightsError: a file is no ONNX detector that can be calibrated.
            SourceError: a file cannot be written.
        """
        from maskdet.detector.evaluation.calibration import ERROR_ABOVE
        from maskdet.detector.evaluation.plots import reliability_diagram
        from maskdet.detector.export.calibrated_onnx import write_calibration
        from maskdet.files.atomic import write_bytes
        from maskdet.imaging.encode import png

        report = self.report
        method, notes = report.methods[report.chosen], report.notes(self.folds.data)
        calibrations = list(zip(self.paths, method.folds, strict=True))
        if self.final:
            calibrations.append((self.final, method.final))
        for path, calibration in calibrations:
            write_calibration(path, folder / path.name, calibration, notes)
        panels = [("as trained", report.methods["none"].confidences), ("calibrated", method.confidences)]
        diagram = reliability_diagram(panels, report.judged.right, least=ERROR_ABOVE[0])
        write_bytes(folder / DIAGRAM, png(diagram, dpi=110))


def calibrate(
    settings: Mapping[str, Any], model: ModelOptions, final: str | None, folder: Path | None, *, quiet: bool
) -> Calibrated:
    """Fit on each fold's detections, and measure each fold by the others.

    Args:
        settings: checked arguments of ``maskdet val``.
        model: the detectors, with ``{fold}`` in their name.
        final: one more file that is to be calibrated.
        folder: where the files will go, None for nowhere.
        quiet: no progress, no notes.

    Raises:
        MaskdetError: data or a model cannot be used, or a file that is not ours would be written over.
        click.UsageError: no model is named, ``split`` or ``conf`` is, or the detections cannot be calibrated.
    """
    from maskdet.detector.evaluation.folds.calibration import calibrate_folds
    from maskdet.files.guard import Guard

    if "conf" in settings:
        raise click.UsageError("conf= has no meaning with --calibrate, which chooses thresholds")
    folds, paths = read(settings, model, quiet=quiet)
    last = Path(final) if final else None
    if folder:
        files = [*paths, *([last] if last else [])]
        guard = Guard(files)
        guard.check_reports(folder, [DIAGRAM])
        for path in files:
            guard.check_model(folder / path.name)
    batch = settings.get("batch", 16)
    found = list(detect_low(model, paths, folds, batch=batch, quiet=quiet, uncalibrated=True))
    try:
        return Calibrated(report=calibrate_folds(folds, found), folds=folds, paths=paths, final=last)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
