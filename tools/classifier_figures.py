"""Write the figures of the classifier that ships, as ``tools/register_model.py`` takes them.

The shipped file is scored itself, on the true boxes of photos that its training left out::

    maskdet study mix/voc --ship maskdet-c.onnx        # no photo of the split "val" is in mix/voc: tools/mix_photos.py
    python tools/classifier_figures.py maskdet-c.onnx public/data.yaml figures.json

Intervals are from draws of groups of alike photos; ``beside`` holds the figures without the photos that resemble one of the
split "train".
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from register_model import CLASSIFIER_SCHEMA

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.classifier.study.scores import Scores, score
from maskdet.datasets.photos.picture_file import read_pixels
from maskdet.detector.evaluation.labelled_split import read_split
from maskdet.detector.evaluation.near_training import find_near
from maskdet.statistics.calibration_error import expected_calibration_error
from maskdet.statistics.figures import Figure

SPLIT = "public: trained without its 170 photos held out, scored on them; maskdet convert --split public"
SOURCE = "Face Mask Detection (Kaggle, andrewmvd, CC0), 683 photos, and open photos with stated licences (weights/ATTRIBUTION.md)"
NOTES = (
    "The file itself is scored, on the annotated boxes of photos that it was not trained on. Epochs and settings were chosen "
    "before, on the dev part of the study's split by crop; the temperature is fitted on the dev crops of an earlier grouped run "
    "of the same network."
)


def figures(onnx: Path, data: Path) -> dict[str, Any]:
    """Return the JSON."""
    classifier = MaskClassifier(onnx)
    tested, trained = read_split(data, "val"), read_split(data, "train")
    near = find_near(tested.photos, trained.photos)
    rows = [
        classifier.classify_boxes(read_pixels(photo), truth.boxes).astype(np.float64)
        for photo, truth in zip(tested.photos, tested.truths, strict=True)
    ]
    probabilities = np.concatenate(rows)
    labels = np.concatenate([truth.class_ids for truth in tested.truths]).astype(np.int64)
    photo_of = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    groups = [f"{near.groups[photo]:06}" for photo in photo_of]
    apart = ~(near.series | near.near_copies)[photo_of]
    scores = score(labels, probabilities, groups)
    without = score(
        labels[apart], probabilities[apart], [group for group, kept in zip(groups, apart, strict=True) if kept]
    )
    return {
        "schema": CLASSIFIER_SCHEMA,
        "model": {"sha256": hashlib.sha256(onnx.read_bytes()).hexdigest()},
        "command": f"python tools/classifier_figures.py {onnx.name} public/data.yaml figures.json",
        "data": {"photos": len(rows), "crops": len(labels), "split": SPLIT, "source": SOURCE},
        **_summary(scores),
        "ece": _plain(_calibration_error(probabilities, labels)),
        "ece_by_class": {
            name: _plain(_calibration_error(probabilities[answered], labels[answered]))
            for name, answered in _answered(probabilities)
        },
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
        "beside": {"without_either": {"crops": int(apart.sum()), **_summary(without)}},
        "notes": [NOTES],
    }


def _summary(scores: Scores) -> dict[str, Any]:
    return {
        "accuracy": _figure(scores.accuracy_by_group),
        "macro_f1": _figure(scores.macro_f1),
        "balanced_accuracy": _figure(scores.balanced_accuracy),
    }


def _answered(probabilities: NDArray[np.float64]) -> Sequence[tuple[str, NDArray[np.bool_]]]:
    answers = probabilities.argmax(axis=1)
    return [(name, answers == place) for place, name in enumerate(CLASS_NAMES) if (answers == place).any()]


def _calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    return expected_calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def _plain(value: float) -> dict[str, float | None]:
    return {"value": round(value, 6), "low": None, "high": None}


def _figure(estimate: Figure) -> dict[str, float | None]:
    values = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {key: None if value is None else round(value, 6) for key, value in values.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("onnx", "data", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    text = json.dumps(figures(given.onnx, given.data), indent=1, ensure_ascii=False) + "\n"
    given.out.write_text(text, encoding="utf-8")
