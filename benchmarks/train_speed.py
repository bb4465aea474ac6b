"""Training on a CPU: ``maskdet train`` beside ``yolo train``, same data, epochs, size and seeds, in turn.

Seconds an epoch are read from the ``time`` column that both write to ``results.csv`` (validation after each epoch is
part of it, as both ship it). Accuracy is mAP50 of ``last.pt``, by ``maskdet val`` for both::

    python benchmarks/train_speed.py --data public/data.yaml --json benchmarks/results/train_speed.json
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import read_split
from maskdet.detector.inference.model import MaskDetector
from maskdet.sessions.processor import has_bf16

BIN = Path(sys.executable).parent
TOOLS = ("yolo", "maskdet")


def train(command: list[str], log: Path) -> None:
    """Run one training, its output in ``log``."""
    with log.open("w") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()[-2000:]}")


def epoch_seconds(folder: Path) -> float:
    """Return the mean time of an epoch: ``results.csv`` counts seconds since the start."""
    with (folder / "results.csv").open() as file:
        rows = [{key.strip(): value for key, value in row.items()} for row in csv.DictReader(file)]
    return float(rows[-1]["time"]) / len(rows)


def main() -> None:
    """Alternate the two tools seed by seed, so that whatever else the machine does hits both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", default="yolov8n.pt")
    parser.add_argument("--imgsz", type=int, default=320)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--no-accuracy", action="store_true", help="only time")
    parser.add_argument("--json", type=Path)
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="given to both, such as fraction=0.1")
    options = parser.parse_args()

    seconds: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    scores: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    with tempfile.TemporaryDirectory() as name:
        for seed in options.seeds:
            for tool in TOOLS:
                folder = Path(name) / f"{tool}-{seed}"
                train(words(tool, seed, folder, options), folder.with_suffix(".log"))
                seconds[tool].append(epoch_seconds(folder))
                score = ""
                if not options.no_accuracy:
                    detector = MaskDetector(folder / "weights" / "last.pt", imgsz=options.imgsz)
                    scores[tool].append(evaluate(detector, options.data, resamples=0).map50)
                    score = f", mAP50 {scores[tool][-1]:.3f}"
                print(f"{tool:8} seed {seed}: {seconds[tool][-1]:6.1f} s an epoch{score}", flush=True)

    report = report_of(options, seconds, scores)
    print(f"an epoch is {report['times_faster']} times faster")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def words(tool: str, seed: int, folder: Path, options: argparse.Namespace) -> list[str]:
    """Return the command that trains one tool, each with its own defaults for whatever is not named here."""
    start = [str(BIN / "yolo"), "detect", "train"] if tool == "yolo" else [str(BIN / "maskdet"), "train"]
    settings = {
        "data": Path(options.data).resolve(),
        "model": options.model,
        "imgsz": options.imgsz,
        "epochs": options.epochs,
        "batch": options.batch,
        "seed": seed,
        "device": "cpu",
        "plots": False,
        "project": folder.parent,
        "name": folder.name,
    }
    return [*start, *(f"{key}={value}" for key, value in settings.items()), *options.settings]


def report_of(
    options: argparse.Namespace, seconds: dict[str, list[float]], scores: dict[str, list[float]]
) -> dict[str, Any]:
    """Return everything measured, and the command that measures it again."""
    shown = [
        *("python benchmarks/train_speed.py --data public/data.yaml", f"--model {Path(options.model).name}"),
        *(f"--imgsz {options.imgsz}", f"--epochs {options.epochs}", f"--seeds {' '.join(map(str, options.seeds))}"),
        *(["--no-accuracy"] if options.no_accuracy else []),
        *options.settings,
    ]
    tools: dict[str, dict[str, Any]] = {}
    for tool in TOOLS:
        figures: dict[str, Any] = {
            "epoch_seconds": round(statistics.mean(seconds[tool]), 1),
            "epoch_seconds_each": [round(value, 1) for value in seconds[tool]],
        }
        if scores[tool]:
            figures["map50_mean"] = round(statistics.mean(scores[tool]), 4)
            figures["map50_sd"] = round(statistics.stdev(scores[tool]), 4) if len(scores[tool]) > 1 else 0.0
            figures["map50_each"] = [round(value, 4) for value in scores[tool]]
        tools[f"{tool} train"] = figures
    return {
        "command": " ".join(shown),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {'with' if has_bf16() else 'no'} bfloat16",
        "epochs": options.epochs,
        "imgsz": options.imgsz,
        "photos": len(read_split(options.data, "train").photos),
        "settings": options.settings,
        "seeds": options.seeds,
        "tools": tools,
        "times_faster": round(statistics.mean(seconds["yolo"]) / statistics.mean(seconds["maskdet"]), 2),
    }


if __name__ == "__main__":
    main()
