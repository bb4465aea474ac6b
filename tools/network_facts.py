"""What a card says of a detector's network: which one it is, and how much it computes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import onnx

from maskdet.detector.inference.runtime import ModelSpec
from maskdet.detector.inference.runtime.spec import NETWORK_KEY

#: The block that tells ultralytics' families apart.
FAMILIES: Final = {"C2f": "YOLOv8"}

#: Width of each size of YOLOv8: older checkpoints name no size.
WIDTHS: Final = {0.25: "n", 0.5: "s", 0.75: "m", 1.0: "l", 1.25: "x"}


def network_facts(path: Path, spec: ModelSpec) -> dict[str, Any]:
    """Return what an entry of ``models.json`` says of it: ``network`` and ``gflops``, at the size it was made for."""
    return {"network": network_name(spec.metadata), "gflops": round(gigaflops(path, spec.imgsz), 2)}


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
    shapes |= {info.name: _shape(info) for info in (*inferred.value_info, *inferred.output)}
    total = 0.0
    for node in inferred.node:
        if node.op_type != "Conv":
            continue
        kernel, written = shapes[node.input[1]], shapes[node.output[0]]
        # A kernel is (out, in of its group, height, width): each number written takes in × height × width products.
        total += 2.0 * math.prod(kernel[1:]) * math.prod(written)
    return total / 1e9


def _shape(info: Any) -> list[int]:
    return [dimension.dim_value for dimension in info.type.tensor_type.shape.dim]
