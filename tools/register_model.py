"""Put a trained model into ``weights/``: the ONNX file, its figures, its card, and its entry in ``models.json``.

What is said of it stands in ``weights/NAME.facts.yaml`` (see ``tools/cards.py``), every figure in the JSON that ``maskdet
val`` wrote::

    maskdet export model=runs/NAME/weights/last.pt close_ups='{imgsz: 160, share: 0.15, below: 0.95}'
    maskdet val data=folds model='runs/fold{fold}.onnx' --folds --calibrate --save calibrated --final runs/NAME/weights/last.onnx
    maskdet val model=calibrated/last.onnx data=public/data.yaml --json val.json
    python tools/register_model.py NAME calibrated/last.onnx val.json

A detector trained on every photo is registered with the JSON of ``maskdet val --folds`` on detectors of its recipe, or with
that of the detector it went on from, which ``figures_of`` names in its facts; a classifier with that of
``tools/classifier_figures.py``, an INT8 model by ``tools/ship_int8.py``. The first model of its task becomes its task's
default.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import onnx
from cards import WEIGHTS, card_of, read_facts

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.runtime import ClassifierRuntime
from maskdet.detector.inference.close_ups import KEY, wanted_close_ups
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.detector.inference.runtime.spec import NETWORK_KEY
from maskdet.detector.inference.thresholds import read_calibration
from maskdet.sessions.onnx_session import open_session
from maskdet.weights import checksum

#: The block that tells ultralytics' families apart, and the width of each size of YOLOv8: older checkpoints name no size.
FAMILIES: Final = {"C2f": "YOLOv8"}
WIDTHS: Final = {0.25: "n", 0.5: "s", 0.75: "m", 1.0: "l", 1.25: "x"}

#: A classifier's report, and the figures that it must have.
CLASSIFIER_SCHEMA: Final = "maskdet-classifier/1"
CLASSIFIER_FIGURES: Final = ("accuracy", "macro_f1", "balanced_accuracy", "ece")


def detector_entry(name: str, path: Path, report: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return a detector's entry in ``models.json``.

    Raises:
        SystemExit: the report is of another file; or one of the folds', so that the file has not seen every photo.
    """
    digest = checksum(path)
    if of_folds := "sets" in report:
        ap = report["sets"]["all"]["ap"]
        ap50, ap50_95 = ap["ap50"]["all"], ap["ap50_95"]["all"]
        if digest in {model["sha256"] for model in report["models"]}:
            raise SystemExit(f"error: {path} is the detector of one fold: give the one that was trained on all photos")
    else:
        if "figures_of" not in facts:
            _check_file(report, digest, path)
        elif report["model"]["sha256"] == digest:
            raise SystemExit(f"error: {path} is {facts['figures_of']} itself: give the one that went on from it")
        ap50, ap50_95 = ({row: one[key] for row, one in report["ap"]["all"].items()} for key in ("ap50", "ap50_95"))
    spec = OnnxRuntime(path, name=name).spec
    calibration = read_calibration(spec.metadata)
    close_ups = wanted_close_ups(path, spec.metadata)
    classes = [row for row in ap50 if row != "mean"]
    return {
        "task": "detect",
        "file": f"{name}.onnx",
        "sha256": digest,
        "classes": classes,
        "imgsz": spec.imgsz,
        "network": network_name(spec.metadata),
        "gflops": round(gigaflops(path, spec.imgsz), 2),
        **({"calibration": calibration} if calibration else {}),
        "recipe": {"command": facts["train"].strip(), **json.loads(spec.metadata["maskdet_training"])},
        **({"int8": json.loads(spec.metadata["maskdet_int8"])} if "maskdet_int8" in spec.metadata else {}),
        "data": facts["data"],
        "split": facts["split"],
        "figures": {
            "map50": ap50["mean"]["value"],
            "map50_95": ap50_95["mean"]["value"],
            "ap50": {row: ap50[row]["value"] for row in classes},
            **({"of": f"mean of {report['data']['folds']} folds"} if of_folds else {}),
            **({"of": f"{facts['figures_of']}, which it went on from"} if "figures_of" in facts else {}),
            "report": f"{name}.val.json",
        },
        **({KEY: close_ups.to_dict()} if close_ups else {}),
    }


def network_name(metadata: Mapping[str, str]) -> str:
    """Return ``YOLOv8n`` and the like, from the description that ``maskdet export`` left in the file."""
    described = json.loads(metadata[NETWORK_KEY])
    blocks = {block for _, _, block, _ in described["backbone"]}
    family = next((name for block, name in FAMILIES.items() if block in blocks), "YOLO")
    return family + (described.get("scale") or WIDTHS.get(described.get("width_multiple"), ""))


def gigaflops(path: Path, imgsz: int) -> float:
    """Return the multiplications and additions of one square picture's convolutions, in thousands of millions.

    Args:
        path: an ONNX detector.
        imgsz: side of the network's input in pixels.
    """
    model = onnx.load(path)
    taken = model.graph.input[0].type.tensor_type.shape.dim
    for dimension, size in zip(taken, (1, 3, imgsz, imgsz), strict=True):
        dimension.dim_value = size
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes: dict[str, list[int]] = {tensor.name: list(tensor.dims) for tensor in inferred.initializer}
    for info in (*inferred.value_info, *inferred.output):
        shapes[info.name] = [dimension.dim_value for dimension in info.type.tensor_type.shape.dim]
    # A kernel is (out, in of its group, height, width): each number written takes in × height × width products.
    return sum(
        2.0 * math.prod(shapes[node.input[1]][1:]) * math.prod(shapes[node.output[0]])
        for node in inferred.node
        if node.op_type == "Conv"
    ) / 1e9  # fmt: skip


def classifier_entry(name: str, path: Path, report: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return a classifier's entry in ``models.json``.

    Raises:
        SystemExit: the report is of another file, lacks something, or does not agree with itself.
    """
    digest = checksum(path)
    if report.get("schema") != CLASSIFIER_SCHEMA:
        raise SystemExit(f"error: the report's schema is {report.get('schema')!r}, expected {CLASSIFIER_SCHEMA!r}")
    wanted = {"model": ("sha256",), "data": ("photos", "crops", "split", "source"), "classes": CLASS_NAMES}
    missing = [key for key in (*CLASSIFIER_FIGURES, "command", "matrix", *wanted) if key not in report]
    missing += [f"{key}.{part}" for key, parts in wanted.items() for part in parts if part not in report.get(key, {})]
    if missing:
        raise SystemExit(f"error: the report lacks {', '.join(missing)}")
    _check_file(report, digest, path)
    counts = [sum(row) for row in report["matrix"]]
    if counts != [report["classes"][row]["support"] for row in CLASS_NAMES] or sum(counts) != report["data"]["crops"]:
        raise SystemExit("error: the report's matrix, its classes' support and its number of crops do not agree")
    spec = ClassifierRuntime(path, name=name).spec
    return {
        "task": "classify",
        "file": f"{name}.onnx",
        "sha256": digest,
        "classes": list(CLASS_NAMES),
        "imgsz": spec.side,
        "margin": spec.margin,
        "square": spec.square,
        "temperature": spec.temperature,
        "recipe": {"command": facts["train"].strip(), **json.loads(spec.metadata.get("maskdet_training", "{}"))},
        "data": report["data"]["source"],
        "split": report["data"]["split"],
        "figures": {
            **{key: report[key]["value"] for key in CLASSIFIER_FIGURES},
            "f1": {row: figures["f1"]["value"] for row, figures in report["classes"].items()},
            "report": f"{name}.val.json",
        },
    }


def _check_file(report: dict[str, Any], digest: str, path: Path) -> None:
    if report["model"]["sha256"] != digest:
        raise SystemExit(f"error: the report is of {report['model']['sha256'][:12]}…, {path} is {digest[:12]}…")


def register(name: str, path: Path, report: dict[str, Any], folder: Path = WEIGHTS) -> dict[str, Any]:
    """Copy, register and describe; return the entry.

    Args:
        name: how the model is called; ``NAME.facts.yaml`` stands in the folder.
        path: its ONNX file.
        report: its figures.
        folder: where it goes.

    Raises:
        SystemExit: the report is of another file, or the name is taken by a model of another task.
    """
    facts = read_facts(name, folder)
    classifies = open_session(path).get_modelmeta().custom_metadata_map.get("task") == "classify"
    entry = (classifier_entry if classifies else detector_entry)(name, path, report, facts)
    registry_file = folder / "models.json"
    registry: dict[str, Any] = {"default": {}, "models": {}}
    if registry_file.is_file():
        registry = json.loads(registry_file.read_text(encoding="utf-8"))
    if registry["models"].get(name, entry)["task"] != entry["task"]:
        raise SystemExit(f"error: {name} is a model of another task: choose another name")
    registry["models"][name] = entry
    registry["default"].setdefault(entry["task"], name)
    target = folder / entry["file"]
    if path.resolve() != target:
        shutil.copyfile(path, target)
    card = card_of(name, entry, report, facts, target.stat().st_size)
    for file, text in (
        (entry["figures"]["report"], json.dumps(report, indent=2, ensure_ascii=False) + "\n"),
        (f"{name}.md", card),
        ("models.json", json.dumps(registry, indent=2, ensure_ascii=False) + "\n"),
    ):
        (folder / file).write_text(text, encoding="utf-8")
    return entry


def main() -> None:
    """Read the command line and register."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("onnx", type=Path)
    parser.add_argument("report", type=Path)
    options = parser.parse_args()
    entry = register(options.name, options.onnx, json.loads(options.report.read_text(encoding="utf-8")))
    figures = {key: value for key, value in entry["figures"].items() if isinstance(value, float)}
    print(f"{entry['file']}: " + ", ".join(f"{key} {value:.3f}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
