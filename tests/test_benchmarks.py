"""The benchmarks run; how fast they are is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
