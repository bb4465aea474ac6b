"""A detector in fewer bits beside the float one: speed in every runtime at hand, accuracy by ``maskdet val``.

INT8 is another file, ``NAME-int8.onnx`` beside ``NAME.onnx``; bfloat16 is OpenVINO's, where the processor has it. With
``--beside`` other float files are timed along, in ONNX Runtime.
Speed is processor time on one thread: what else the machine does changes it little. Runtimes take turns, photo by
photo. The pair that ships needs its INT8 file under the float one's name. Prints a table; ``--json`` writes figures::

    cp weights/maskdet-n-public.onnx . && cp weights/maskdet-n-int8.onnx maskdet-n-public-int8.onnx
    python benchmarks/int8.py --model maskdet-n-public.onnx --data public/data.yaml --json benchmarks/results/int8.json
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskdet.benchmark.detectors import RuntimeChoice, load, runtimes_for, with_bfloat16
from maskdet.benchmark.report import processor_name
from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import read_split
from maskdet.detector.export.quantise import load_input
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.runtime import OnnxRuntime, Runtime
from maskdet.errors import WeightsError
from maskdet.sessions.processor import usable_cores
from maskdet.statistics.figures import plain
from maskdet.weights import identify

TITLES = {"onnx": "ONNX Runtime", "openvino": "OpenVINO"}


def arithmetic(choice: RuntimeChoice) -> str:
    """Return ``FP32``, ``INT8`` or ``BF16``."""
    return "INT8" if choice.int8 else choice.precision.upper()


def open_all(choices: Sequence[RuntimeChoice], model: Path) -> dict[str, Runtime]:
    """Return the network in each runtime and arithmetic, one thread each."""
    return {
        f"{TITLES[choice.name]}, {arithmetic(choice)}": load(choice.name, choice.int8 or model, 1, choice.precision)
        for choice in choices
    }


def times_faster(slow: list[float], fast: list[float]) -> float:
    """Return the median ratio over pairs of runs on the same photo."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def main() -> None:
    """Measure speed, then score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the float ONNX file; NAME-int8.onnx lies beside it")
    parser.add_argument("--data", type=Path, required=True, help="a data.yaml; its split val is used")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="other float ONNX files, for their speed")
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--no-accuracy", action="store_true", help="only speed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    choices = with_bfloat16(runtimes_for(options.model))
    twin = next((choice.int8 for choice in choices if choice.int8), None)
    if twin is None:
        raise SystemExit(f"error: {WeightsError(options.model, 'no NAME-int8.onnx beside it: maskdet export --int8')}")
    labelled = read_split(options.data)
    spec = OnnxRuntime(options.model, name="FP32").spec
    inputs = [load_input(photo, spec) for photo in labelled.photos[:3]]
    ways = open_all(choices, options.model)
    ways |= {f"ONNX Runtime, {path.stem}": load("onnx", path, 1) for path in options.beside}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():  # once unmeasured: memory is laid out for each shape
        for batch in inputs:
            way(batch)
    for run in range(options.runs):
        for name, way in ways.items():
            start = time.process_time()
            way(inputs[run % len(inputs)])
            seconds[name].append(time.process_time() - start)

    words = ["--model", options.model.name, "--data", f"{options.data.resolve().parent.name}/{options.data.name}"]
    words += ["--beside", *(path.name for path in options.beside)] if options.beside else []
    words += ["--runs", str(options.runs), *(["--no-accuracy"] if options.no_accuracy else [])]
    report: dict[str, Any] = {
        "command": " ".join(["python benchmarks/int8.py", *words]),
        "machine": f"{processor_name()}, {usable_cores()} cores, Python {platform.python_version()}",
        "model": identify(options.model),
        "megabytes": {
            kind: round(path.stat().st_size / 1e6, 2) for kind, path in (("FP32", options.model), ("INT8", twin))
        },
        "cpu_ms": {name: round(statistics.median(each) * 1000, 1) for name, each in seconds.items()},
        "times_faster": {
            name: round(times_faster(seconds[f"{name.partition(',')[0]}, FP32"], each), 2)
            for name, each in seconds.items()
            if not name.endswith("FP32")
        },
    }
    for name, value in report["cpu_ms"].items():
        print(f"{name:24} {value:7.1f} ms   {report['times_faster'].get(name, '')}", flush=True)
    if not options.no_accuracy:
        detectors = {"FP32": MaskDetector(options.model, threads=1), "INT8": MaskDetector(twin, threads=1)}
        if any(choice.precision == "bf16" for choice in choices):
            detectors["BF16"] = MaskDetector(options.model, threads=1, precision="bf16")
        report["accuracy"] = {}
        for kind, detector in detectors.items():
            rows = evaluate(detector, labelled, batch=1, resamples=0).ap["all"]
            report["accuracy"][kind] = {
                name: {"ap50": plain(row.ap50.value), "ap50_95": plain(row.ap50_95.value)} for name, row in rows.items()
            }
            print(kind, report["accuracy"][kind]["mean"], flush=True)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
