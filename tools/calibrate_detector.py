"""Fit what makes a detector's confidences honest, on folds that their detectors have not seen, and write it into files.

Of every fold the confidences are judged by a calibration fitted on the other folds; the one fitted on all folds is for the
detector that is trained on everything in the same way::

    python tools/calibrate_detector.py folds "runs/fold{fold}.onnx" --json calibration.json --png reliability.png
    python tools/calibrate_detector.py folds "runs/fold{fold}.onnx" --write last.onnx maskdet-n.onnx
    python tools/calibrate_detector.py folds "runs/fold{fold}.onnx" --write-folds "runs/calibrated/fold{fold}.onnx"

A calibration error counts detections above a confidence, 15 bins of equal width, right being a box that found a face of its
class at IoU 0.5 (see ``maskdet/statistics/calibration_error.py``). ``--write-folds`` gives ``maskdet val --folds`` detectors whose
threshold means what it means in the one that ships.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskdet.detector.evaluation.calibration.plot import reliability_diagram
from maskdet.detector.evaluation.calibration.report import METHODS, THRESHOLDS, CalibrationReport, calibrate_folds
from maskdet.detector.evaluation.evaluate import VAL_CONF, detect_split
from maskdet.detector.evaluation.folds.cross_validation import FOLD, fold_models
from maskdet.detector.evaluation.folds.fold_set import FoldSet, read_folds
from maskdet.detector.evaluation.folds.report import check_unseen
from maskdet.detector.export.calibrated_onnx import write_calibration
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_IOU
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.thresholds import read_calibration
from maskdet.errors import MaskdetError, WeightsError
from maskdet.files.atomic import write_bytes
from maskdet.imaging.encode import png
from maskdet.weights import checksum


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="the folder that maskdet convert --folds wrote")
    parser.add_argument("models", help="the folds' ONNX files, {fold} standing for 1, 2, …")
    parser.add_argument("--method", choices=METHODS[1:], default="temperature_and_bias", help="what is written (both)")
    parser.add_argument("--resamples", type=int, default=1000, help="draws behind each interval")
    parser.add_argument("--json", type=Path, help="write every figure")
    parser.add_argument("--png", type=Path, help="draw the reliability diagram")
    parser.add_argument("--write", nargs=2, type=Path, metavar=("IN", "OUT"), help="calibrate a detector, by all folds")
    parser.add_argument("--write-folds", metavar="OUT", help="calibrate the folds' detectors, each by the other folds")
    return parser.parse_args(arguments)


def detect(folds: FoldSet, paths: Sequence[Path]) -> list[list[Detections]]:
    """Return what each fold's detector reports of its photos, from a low threshold on.

    Raises:
        WeightsError: a file cannot be used, is calibrated already, or was trained on another fold.
        SourceError: a photo that cannot be decoded.
    """
    reported = []
    for number, (path, test) in enumerate(zip(paths, folds.tests, strict=True), 1):
        detector = MaskDetector(path)
        check_unseen(detector, number)
        if read_calibration(detector.metadata) is not None:
            raise WeightsError(path, "is calibrated already: give the file as maskdet export wrote it")
        reported.append(
            detect_split(detector, test, conf=VAL_CONF, iou=DEFAULT_IOU, batch=16, quiet=False, report_conf=VAL_CONF)[1]
        )
    return reported


def notes_of(report: CalibrationReport, data: str) -> dict[str, Any]:
    """Return what a calibrated file says beside temperature and bias."""
    return {
        "fitted_on": f"{data}: {len(report.judged.right)} detections of detectors that had not seen the photos",
        "ece_before": {str(t): report.methods["none"].errors[t].to_dict()["value"] for t in THRESHOLDS},
        "ece_after": {str(t): report.methods[report.chosen].errors[t].to_dict()["value"] for t in THRESHOLDS},
        "best_f1_conf": report.thresholds["one"].to_dict()["final"],
        "best_f1_conf_per_class": report.thresholds["per_class"].to_dict()["final"],
    }


def run(options: argparse.Namespace) -> CalibrationReport:
    """Detect, fit, measure and write.

    Raises:
        MaskdetError: data or a model cannot be used, or a file cannot be written.
        ValueError: a fit has no answer.
    """
    folds = read_folds(options.data, quiet=False)
    paths = fold_models(options.models, len(folds.tests))
    if options.write_folds and FOLD not in options.write_folds:
        raise WeightsError(options.write_folds, f"needs {FOLD} in its name")
    report = calibrate_folds(folds, detect(folds, paths), chosen=options.method, resamples=options.resamples)
    method = report.methods[options.method]
    shown = [folds.data, Path(options.models).name]
    words = ["python", "tools/calibrate_detector.py", *shown, "--method", options.method]
    content = {
        **report.to_dict(),
        "command": shlex.join(words),
        "data": {"name": folds.data, "folds": len(paths), "photos": sum(len(test.photos) for test in folds.tests)},
        "models": [{"name": path.stem, "sha256": checksum(path)} for path in paths],
    }
    if options.json:
        write_bytes(options.json, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    if options.png:
        panels = [("as trained", report.methods["none"].confidences), ("calibrated", method.confidences)]
        write_bytes(options.png, png(reliability_diagram(panels, report.judged.right, least=THRESHOLDS[0]), dpi=110))
    notes = notes_of(report, folds.data)
    if options.write:
        write_calibration(*options.write, method.final, notes)
    if options.write_folds:
        for number, (path, calibration) in enumerate(zip(paths, method.folds, strict=True), 1):
            write_calibration(path, Path(options.write_folds.replace(FOLD, str(number))), calibration, notes)
    return report


def table_of(report: CalibrationReport) -> str:
    """Return the figures as text."""
    lines = [f"{'':22}{'T':>7}{'bias':>7}" + "".join(f"{f'ECE > {t}':>26}{'adaptive':>10}" for t in THRESHOLDS)]
    for name, method in report.methods.items():
        words = f"{name:22}{method.final.temperature:7.3f}{method.final.bias:7.3f}"
        for threshold in THRESHOLDS:
            error = method.errors[threshold]
            interval = "" if error.low is None or error.high is None else f" ({error.low:.3f}–{error.high:.3f})"
            words += f"{f'{error.value:.4f}{interval}':>26}{method.adaptive[threshold]:10.4f}"
        lines.append(words)
    lines.append("")
    for name, way in report.thresholds.items():
        limits = ", ".join(f"{limit:.3f}" for limit in way.final)
        mean, gain = way.figures["f1"]["mean"], way.gain["mean"]
        interval = "" if gain.low is None or gain.high is None else f" ({gain.low:+.4f} to {gain.high:+.4f})"
        lines.append(f"threshold {name:10} {limits}: mean F1 {mean.value:.4f}, gain {gain.value:+.4f}{interval}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run; what cannot be used is one line on standard error and exit code 2."""
    try:
        print(table_of(run(parse(arguments))))
    except (MaskdetError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
