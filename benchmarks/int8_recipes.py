"""What each choice in making a detector INT8 costs in accuracy and brings in speed, beside the float file.

A detector that has never seen the data's ``val`` is quantised in several ways, on photos of ``train`` only, and each
file scored on ``val`` as ``maskdet val`` does. Give the split inside the training photos, so that nothing is chosen on
what is held out. A score moves by chance with every rounding; steadier is how far the faces of every third photo move
from those of the float file. Speed is processor time of one thread in ONNX Runtime, the shortest of runs in turn::

    python benchmarks/int8_recipes.py --model inner.onnx --data inner/data.yaml --json int8_recipes.json
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx

from maskdet.benchmark.measuring.machine import processor_name
from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import LabelledSplit, read_split
from maskdet.detector.export.compare_networks import compare_faces
from maskdet.detector.export.quantise import Recipe, load_input, quantised_model, training_photos
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.runtime import OnnxRuntime

#: What is tried: calibration photos, and what else differs from the plain recipe.
PLAIN = Recipe(corrected=False)
WAYS: dict[str, tuple[int, Recipe]] = {
    "graph as torch exports it": (64, replace(PLAIN, laid_out=False)),
    "64 photos": (64, PLAIN),
    "64 photos, biases corrected": (64, replace(PLAIN, corrected=True)),
    "box branch's last but one in float": (64, replace(PLAIN, float_names=tuple(f"cv2.{n}.1/" for n in range(3)))),
    "first convolution in float": (64, replace(PLAIN, float_names=("/model.0/",))),
    "64 other photos": (64, replace(PLAIN, seed=1)),
    "64 other photos, biases corrected": (64, replace(PLAIN, seed=1, corrected=True)),
    "256 photos": (256, PLAIN),
    "256 photos, biases corrected": (256, replace(PLAIN, corrected=True)),
    "class branch's last but one in float": (64, replace(PLAIN, float_names=tuple(f"cv3.{n}.1/" for n in range(3)))),
    "8-bit weights": (64, replace(PLAIN, seven_bits=False)),
}


def score(path: Path, labelled: LabelledSplit) -> dict[str, float]:
    """Return mAP50 and mAP50-95 over the classes."""
    row = evaluate(MaskDetector(path, threads=1), labelled, batch=1, resamples=0).ap["all"]["mean"].to_dict()
    return {key: round(row[key]["value"], 4) for key in ("ap50", "ap50_95")}


def moved(before: OnnxRuntime, path: Path, labelled: LabelledSplit) -> dict[str, float]:
    """Return by how much faces differ from the float file's: confidence, 1 - IoU, and the share that is not paired."""
    batches = [load_input(photo, before.spec) for photo in labelled.photos[::3]]
    found = compare_faces(before, OnnxRuntime(path, name="INT8"), batches, conf=DEFAULT_CONF, iou=DEFAULT_IOU)
    lost = (found.faces - found.found + found.extra) / max(found.faces, 1)
    return {"confidence": round(found.confidence, 4), "overlap": round(1 - found.iou, 4), "unpaired": round(lost, 4)}


def main() -> None:
    """Make each, score it, then time all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a float ONNX file that has not seen the split val")
    parser.add_argument("--data", type=Path, required=True, help="a data.yaml: calibrated on train, scored on val")
    parser.add_argument("--only", nargs="*", choices=list(WAYS), default=list(WAYS), help="some of the ways")
    parser.add_argument("--runs", type=int, default=16)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    labelled, before = read_split(options.data), OnnxRuntime(options.model, name="FP32")
    metadata = {entry.key: entry.value for entry in onnx.load(options.model).metadata_props}
    figures: dict[str, dict[str, Any]] = {"FP32": {"photos": 0, **score(options.model, labelled)}}
    print("FP32", figures["FP32"], flush=True)
    sessions = {"FP32": OnnxRuntime(options.model, name="FP32", threads=1)}
    with tempfile.TemporaryDirectory() as folder:
        for way in options.only:
            photos, recipe = WAYS[way]
            split = training_photos(options.data)
            random.Random(recipe.seed).shuffle(split)
            made, _ = quantised_model(options.model, Path(folder), split[:photos], before.spec, recipe)
            onnx.helper.set_model_props(made, metadata)
            target = Path(folder) / "way.onnx"
            onnx.save(made, target)
            figures[way] = {"photos": photos, **score(target, labelled), **moved(before, target, labelled)}
            sessions[way] = OnnxRuntime(target, name=way, threads=1)
            print(way, figures[way], flush=True)
    batch = load_input(labelled.photos[0], before.spec)
    for run in range(options.runs + 1):  # the first unmeasured: memory is laid out
        for way, session in sessions.items():
            start = time.process_time()
            session(batch)
            spent = round((time.process_time() - start) * 1000, 2)
            if run:
                figures[way]["cpu_ms"] = min(spent, figures[way].get("cpu_ms", spent))
    for row in figures.values():
        row["times_faster"] = round(figures["FP32"]["cpu_ms"] / row["cpu_ms"], 2)
        print(row)
    if options.json:
        where = f"{options.data.resolve().parent.name}/{options.data.name}"
        report = {
            "command": f"python benchmarks/int8_recipes.py --model {options.model.name} --data {where}",
            "machine": f"{processor_name()}, Python {platform.python_version()}",
            "figures": figures,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
