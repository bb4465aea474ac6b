"""Write the figures of the classifier that ships, as ``tools/register_model.py`` takes them.

The shipped file is trained on every crop, so nothing is left to measure it by. The figures are those of the same
training on grouped folds, each tested on photos that it never saw, with the temperature that the shipped file carries::

    maskdet study FACE_MASK_DETECTION --networks maskdet-c --protocol grouped --runs runs
    maskdet study FACE_MASK_DETECTION --ship maskdet-c.onnx --runs runs
    python tools/classifier_figures.py maskdet-c.onnx runs FACE_MASK_DETECTION figures.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from register_model import CLASSIFIER_SCHEMA
from scipy.special import softmax

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.crop_set import read_crop_set
from maskdet.classifier.inference.runtime import ClassifierRuntime
from maskdet.classifier.study.scores import score
from maskdet.classifier.training.run import load_runs
from maskdet.statistics.calibration_error import expected_calibration_error
from maskdet.statistics.figures import Figure


def figures(onnx: Path, runs_folder: Path, source: Path) -> dict[str, Any]:
    """Return the JSON.

    Raises:
        SystemExit: there is no grouped run.
    """
    spec = ClassifierRuntime(onnx, name="maskdet-c").spec
    runs = [run for run in load_runs(runs_folder) if run.name == "maskdet-c" and run.protocol == "grouped"]
    if not runs:
        raise SystemExit(f"error: {runs_folder}: no grouped run of maskdet-c")
    crops = read_crop_set(source, quiet=True)
    known = {record.crop: record for record in crops.records}
    names = [name for run in runs for name in run.parts["test"].crops]
    labels = np.concatenate([run.parts["test"].labels for run in runs])
    plain = np.concatenate([run.parts["test"].probabilities for run in runs])
    probabilities = softmax(np.log(np.maximum(plain, 1e-6)) / spec.temperature, axis=1)
    scores = score(labels, probabilities, [known[name].group for name in names])
    folds = len(runs)
    tested = f"{folds} of 5 grouped folds, each tested by a network that saw none of its photos"
    return {
        "schema": CLASSIFIER_SCHEMA,
        "model": {"sha256": hashlib.sha256(onnx.read_bytes()).hexdigest()},
        "command": f"python tools/classifier_figures.py {onnx.name} runs FACE_MASK_DETECTION figures.json",
        "data": {
            "photos": len({known[name].photo for name in names}),
            "crops": len(names),
            "split": f"trained on all crops; figures from {tested}",
            "source": "Face Mask Detection (Kaggle, andrewmvd, CC0), 853 photos",
        },
        "accuracy": _figure(scores.accuracy),
        "macro_f1": _figure(scores.macro_f1),
        "balanced_accuracy": _figure(scores.balanced_accuracy),
        "ece": _plain(_calibration_error(probabilities, labels)),
        "ece_before": _plain(_calibration_error(plain, labels)),
        "classes": {
            name: {
                "support": row.support,
                "precision": _plain(row.precision),
                "recall": _plain(row.recall),
                "f1": _plain(row.f1),
            }
            for name, row in zip(CLASS_NAMES, scores.classes, strict=True)
        },
        "matrix": scores.matrix.tolist(),
        "notes": [
            f"The figures are of {tested}; the shipped file is the same training on all crops, its last epoch, so its "
            "own figures cannot be measured on this data. Epochs and settings were chosen on the dev part of the "
            "study's split by crop; the temperature is fitted on the grouped runs' dev crops.",
        ],
    }


def _calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    return expected_calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def _plain(value: float) -> dict[str, float | None]:
    return {"value": round(value, 6), "low": None, "high": None}


def _figure(estimate: Figure) -> dict[str, float | None]:
    values = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {key: None if value is None else round(value, 6) for key, value in values.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("onnx", "runs", "source", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    text = json.dumps(figures(given.onnx, given.runs, given.source), indent=1, ensure_ascii=False) + "\n"
    given.out.write_text(text, encoding="utf-8")
