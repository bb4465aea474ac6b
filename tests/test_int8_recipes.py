from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "int8_recipes.py"


def test_recipes_are_scored_beside_the_float_file(
    write_detector: Callable[[Path], Path], two_photos: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("faster_coco_eval")
    model, data, target = write_detector(tmp_path / "tiny.onnx"), two_photos / "data.yaml", tmp_path / "recipes.json"
    data.write_text(data.read_text().replace("val:", "train: images/val\nval:"))
    ways = ["64 photos", "64 photos, biases corrected"]
    options = ["--model", str(model), "--data", str(data), "--only", *ways, "--runs", "1", "--json", str(target)]
    done = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(target.read_text(encoding="utf-8"))
    assert report["command"] == "python benchmarks/int8_recipes.py --model tiny.onnx --data set/data.yaml"
    assert list(report["figures"]) == ["FP32", *ways]
    assert report["figures"]["FP32"]["times_faster"] == 1
    assert set(report["figures"]["64 photos"]) >= {"ap50_95", "confidence", "overlap", "unpaired", "times_faster"}
