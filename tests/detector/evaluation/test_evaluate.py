from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.runtime import ModelSpec
from maskdet.statistics.figures import plain

pytest.importorskip("faster_coco_eval")


class FixedAnswer:
    """A runtime whose answer to every picture is the same: (4 + 3, A) float32, boxes in input pixels."""

    def __init__(self, output: list[list[float]]) -> None:
        self.spec = ModelSpec("fixed", 64, 32, True, {})
        self.output = np.array(output, dtype=np.float32).T
        self.batches: list[int] = []

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.batches.append(len(batch))
        return np.stack([self.output] * len(batch))


def split_of(*faces: tuple[int, list[float]], photos: int = 1) -> LabelledSplit:
    """Return a split whose every photo has the same faces."""
    truth = Truth(np.array([box for _, box in faces], dtype=np.float64), np.array([class_id for class_id, _ in faces]))
    paths = tuple(Path(f"{index}.png") for index in range(photos))
    return LabelledSplit("hand/data.yaml", "val", paths, (truth,) * photos)


def answer(class_id: int, confidence: float, box: list[float]) -> Detections:
    return Detections(np.array([box], dtype=np.float32), np.array([confidence], dtype=np.float32), np.array([class_id]))


def test_given_predictions_are_scored_as_they_are() -> None:
    labelled = split_of((0, [0, 0, 20, 20]), (1, [40, 0, 90, 50]), photos=2)
    report = evaluate([answer(0, 0.9, [0, 0, 20, 20])] * 2, labelled, resamples=50)
    assert report.ap["all"]["with_mask"].ap50.value == 1
    assert report.ap["all"]["without_mask"].ap50.value == 0
    assert report.ap["all"]["mask_weared_incorrect"].ap50.value is None
    assert (report.map50, report.map50_95) == (0.5, 0.5)
    assert {size: rows["mean"].faces for size, rows in report.ap.items()} == {
        "all": 4,
        "<16 px": 0,
        "16-32 px": 2,
        ">32 px": 2,
    }
    assert report.ap["16-32 px"]["mean"].ap50.value == 1
    assert report.ap[">32 px"]["mean"].ap50.value == 0
    mean = report.ap["all"]["mean"].ap50
    assert (mean.low, mean.high) == (0.5, 0.5)
    assert (report.model, report.imgsz, report.settings.conf) == (None, None, None)


def test_no_resamples_no_intervals() -> None:
    report = evaluate([answer(0, 0.9, [0, 0, 20, 20])], split_of((0, [0, 0, 20, 20])), resamples=0)
    assert plain(report.ap["all"]["mean"].ap50) == {"value": 1.0, "low": None, "high": None}


def test_the_same_seed_gives_the_same_report() -> None:
    labelled = split_of((0, [0, 0, 20, 20]), photos=3)
    answers = [answer(0, 0.9, [0, 0, 20, 20]), answer(0, 0.8, [0, 0, 20, 14]), answer(1, 0.8, [0, 0, 20, 20])]
    first, again = (evaluate(answers, labelled, resamples=30, seed=7).to_dict() for _ in range(2))
    assert first == again


def test_every_photo_needs_a_prediction() -> None:
    with pytest.raises(ValueError, match="1 predictions for 2 photos"):
        evaluate([answer(0, 0.9, [0, 0, 9, 9])], split_of((0, [0, 0, 9, 9]), photos=2))


def test_the_report_is_plain_json() -> None:
    report = evaluate([answer(0, 0.9, [0, 0, 20, 20])], split_of((0, [0, 0, 20, 20])), resamples=10)
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read["schema"] == "maskdet-val/1"
    assert read["data"] == {
        "name": "hand/data.yaml",
        "split": "val",
        "photos": 1,
        "faces": {"with_mask": 1, "without_mask": 0, "mask_weared_incorrect": 0},
        "repeated_labels": 0,
    }
    assert read["ap"]["all"]["mean"] == {
        "faces": 1,
        "ap50": {"value": 1.0, "low": 1.0, "high": 1.0},
        "ap50_95": {"value": 1.0, "low": 1.0, "high": 1.0},
    }
    assert read["ap"]["<16 px"]["with_mask"]["ap50"] == {"value": None, "low": None, "high": None}
    assert read["operating_point"]["classes"]["with_mask"] == {
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "right": 1,
        "wrong": 0,
        "missed": 0,
    }
    assert read["confusion"]["labels"][-1] == "background"
    assert np.array(read["confusion"]["matrix"]).shape == (4, 4)


def test_a_detector_is_scored_as_yolo_does_and_counted_as_detect_does(
    tmp_path: Path, write_png: Callable[..., Path]
) -> None:
    """One anchor answers two classes: both enter AP, only the better one is what `detect` reports."""
    runtime = FixedAnswer([[32, 16, 20, 20, 0.3, 0.8, 0.01], [10, 10, 8, 8, 0.002, 0.0, 0.0]])
    for index in range(3):
        write_png(f"images/val/{index}.png", size=(48, 96))
    (tmp_path / "labels" / "val").mkdir(parents=True)
    # The photo is 1.5 times the input: 20 × 20 px there are 30 × 30 px here, around (48, 24).
    for index in range(2):
        (tmp_path / "labels" / "val" / f"{index}.txt").write_text("1 0.5 0.5 0.3125 0.625\n")
    (tmp_path / "data.yaml").write_text("val: images/val\nnames: [with_mask, without_mask, mask_weared_incorrect]\n")
    report = evaluate(MaskDetector(runtime=runtime), tmp_path / "data.yaml", batch=2, resamples=0)
    assert runtime.batches == [2, 1]
    # Confidences are equal and the photo without a face comes last: both faces are found first.
    assert report.ap["all"]["without_mask"].ap50_95.value == 1
    assert report.ap["16-32 px"]["without_mask"].faces == 2
    assert report.point.confusion.tolist() == [[0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert (report.model, report.imgsz, report.settings.max_detections) == ("fixed", 64, 300)
