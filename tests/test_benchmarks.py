"""The benchmarks run; how fast they are is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_classifier_speed(tiny_classifier: Path, tmp_path: Path) -> None:
    target = tmp_path / "results" / "speed.json"
    options = ["--weights", str(tiny_classifier), "--runs", "1", "--batches", "1", "3", "--json", str(target)]
    command = [sys.executable, str(ROOT / "benchmarks" / "classifier_speed.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(target.read_text(encoding="utf-8"))
    assert (report["model"], report["side"]) == ("tiny", 8)
    assert list(report["crop_ms"]) == ["1", "3"]
    assert list(report["crop_ms"]["3"]) == ["from crops", "from photo and boxes", "network alone"]


def run(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / script), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_int8(write_detector: Callable[[Path], Path], two_photos: Path, tmp_path: Path) -> None:
    from maskdet.detector.export.quantise import quantise

    pytest.importorskip("onnx")
    pytest.importorskip("faster_coco_eval")
    model, data, target = write_detector(tmp_path / "tiny.onnx"), two_photos / "data.yaml", tmp_path / "int8.json"
    options = ("--model", str(model), "--data", str(data), "--runs", "2")
    without = run("int8.py", *options)
    assert without.returncode == 1
    assert without.stderr.strip() == f"error: {model}: no NAME-int8.onnx beside it: maskdet export --int8"

    data.write_text(data.read_text().replace("val:", "train: images/val\nval:"))
    quantise(model, data)
    done = run("int8.py", *options, "--beside", str(model), "--json", str(target))
    assert done.returncode == 0, done.stderr
    report = json.loads(target.read_text(encoding="utf-8"))
    assert report["command"] == (
        "python benchmarks/int8.py --model tiny.onnx --data set/data.yaml --beside tiny.onnx --runs 2"
    )
    assert {"ONNX Runtime, FP32", "ONNX Runtime, INT8", "ONNX Runtime, tiny"} <= set(report["cpu_ms"])
    assert "ONNX Runtime, FP32" not in report["times_faster"]
    assert {"FP32", "INT8"} <= set(report["accuracy"])
    assert report["megabytes"]["FP32"] == round(model.stat().st_size / 1e6, 2)


def test_foreign_faces(write_detector: Callable[[Path], Path], two_photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    model, target = write_detector(tmp_path / "tiny.onnx"), tmp_path / "foreign.json"
    data = two_photos / "data.yaml"
    data.write_text(data.read_text().replace("val:", "train: images/val\nval:"))
    done = run("foreign_faces.py", str(data), "--weights", str(model), "--json", str(target))
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(target.read_text(encoding="utf-8"))["parts"]
    assert report["photos"] == 4
    labels = [line for file in two_photos.rglob("labels/**/*.txt") for line in file.read_text().splitlines()]
    assert sum(row["faces"] for row in report["rows"]) == 2 * len(labels) > 0
    for row in report["rows"]:
        answers = ("with_mask", "without_mask", "mask_weared_incorrect", "missed")
        assert sum(row[answer][0] for answer in answers) == pytest.approx(1)


def test_batch(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    options = ("linear", "--pictures", "60", "--shard-size", "3", "--results", str(tmp_path))
    done = run("batch.py", *options)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "batch-linear.json").read_text(encoding="utf-8"))
    assert (told["pictures"], told["shard_size"]) == (60, 3)
    assert min(told["first_tenth_ms"], told["last_tenth_ms"]) > 0
    assert told["memory_mb_highest_after"] >= told["memory_mb_end"] > 0
