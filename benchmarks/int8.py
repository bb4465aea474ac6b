"""An INT8 detector beside the float one it was made from: speed in every runtime at hand, accuracy by ``maskdet val``.

Speed is processor time on one thread: what else the machine does changes it little. Runtimes take turns, photo by
photo.
Prints a table and, with ``--json``, writes the figures::

    maskdet export model=maskdet-n.onnx int8=True data=public/data.yaml
    python benchmarks/int8.py --model maskdet-n.onnx --data public/data.yaml --json benchmarks/results/int8.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

from maskdet.benchmark.runtimes import load, runtimes_for
from maskdet.detector.evaluate import evaluate
from maskdet.detector.labelled import read_split
from maskdet.detector.model import MaskDetector
from maskdet.detector.quantise import load_input
from maskdet.detector.runtime import OnnxRuntime, Runtime

TITLES = {"onnx": "ONNX Runtime", "openvino": "OpenVINO"}


def open_all(files: dict[str, Path]) -> dict[str, Runtime]:
    """Return each file in each runtime at hand, one thread each."""
    return {
        f"{TITLES[choice.name]}, {kind}": load(choice.name, path, threads=1)
        for choice in runtimes_for(files["FP32"])
        for kind, path in files.items()
    }


def times_faster(slow: list[float], fast: list[float]) -> float:
    """Return the median ratio over pairs of runs on the same photo."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def main() -> None:
    """Measure speed, then score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the float ONNX file; NAME-int8.onnx lies beside it")
    parser.add_argument("--data", type=Path, required=True, help="a data.yaml; its split val is used")
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--no-accuracy", action="store_true", help="only speed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    files = {"FP32": options.model, "INT8": options.model.with_name(f"{options.model.stem}-int8.onnx")}
    labelled = read_split(options.data)
    spec = OnnxRuntime(options.model, name="FP32").spec
    inputs = [load_input(photo, spec) for photo in labelled.photos[:3]]
    ways = open_all(files)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():  # once unmeasured: memory is laid out for each shape
        for batch in inputs:
            way(batch)
    for run in range(options.runs):
        for name, way in ways.items():
            start = time.process_time()
            way(inputs[run % len(inputs)])
            seconds[name].append(time.process_time() - start)

    arguments = f"--model {options.model.name} --data public/data.yaml --runs {options.runs}"
    report: dict[str, Any] = {
        "command": f"python benchmarks/int8.py {arguments}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "megabytes": {kind: round(path.stat().st_size / 1e6, 2) for kind, path in files.items()},
        "cpu_ms": {name: round(statistics.median(each) * 1000, 1) for name, each in seconds.items()},
        "times_faster": {
            name: round(times_faster(seconds[name.replace("INT8", "FP32")], each), 2)
            for name, each in seconds.items()
            if name.endswith("INT8")
        },
    }
    for name, value in report["cpu_ms"].items():
        print(f"{name:20} {value:7.1f} ms   {report['times_faster'].get(name, '')}", flush=True)
    if not options.no_accuracy:
        report["accuracy"] = {}
        for kind, path in files.items():
            rows = evaluate(MaskDetector(path, threads=1), labelled, batch=1, resamples=0).ap["all"]
            report["accuracy"][kind] = {
                name: {"ap50": row.to_dict()["ap50"]["value"], "ap50_95": row.to_dict()["ap50_95"]["value"]}
                for name, row in rows.items()
            }
            print(kind, report["accuracy"][kind]["mean"], flush=True)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
