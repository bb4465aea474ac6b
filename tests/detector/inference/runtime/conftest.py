"""The smallest detectors that a runtime can load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from maskdet.classes import CLASS_NAMES

GOOD = {"names": repr(dict(enumerate(CLASS_NAMES))), "imgsz": "[64, 64]", "stride": "32", "task": "detect"}


@pytest.fixture
def write_model() -> Callable[..., Path]:
    """Return a function that writes the smallest network with the right input: zeros for seven rows and two anchors.

    Its second argument changes the metadata; None leaves it out. ``dynamic`` frees height and width of the input.
    """
    onnx = pytest.importorskip("onnx")

    def write(path: Path, change: Mapping[str, str] | None = GOOD, *, dynamic: bool = False) -> Path:
        helper, kind = onnx.helper, onnx.TensorProto.FLOAT
        nodes = [
            helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=1),
            helper.make_node("Mul", ["mean", "zeros"], ["wide"]),
            helper.make_node("Reshape", ["wide", "shape"], ["output0"]),
        ]
        takes = [1, 3, "height", "width"] if dynamic else [1, 3, 64, 64]
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info("images", kind, takes)],
            [helper.make_tensor_value_info("output0", kind, [1, 7, 2])],
            [
                helper.make_tensor("zeros", kind, [1, 1, 1, 14], [0.0] * 14),
                helper.make_tensor("shape", onnx.TensorProto.INT64, [3], [1, 7, 2]),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, {} if change is None else {**GOOD, **change})
        onnx.save(model, path)
        return path

    return write
