"""A network's name out of its description, and its arithmetic by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

onnx = pytest.importorskip("onnx")


@pytest.mark.parametrize(
    ("block", "size", "name"),
    [
        ("C2f", {"scale": "s"}, "YOLOv8s"),
        ("C2f", {"depth_multiple": 0.33, "width_multiple": 0.25}, "YOLOv8n"),
        ("C3k2", {"scale": "n"}, "YOLOn"),
    ],
)
def test_name(tool: ModuleType, block: str, size: dict[str, object], name: str) -> None:
    described = {"backbone": [[-1, 1, "Conv", [64, 3, 2]], [-1, 3, block, [128, True]]], **size}
    assert tool.network_name({tool.NETWORK_KEY: json.dumps(described)}) == name


@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution_by_hand(tool: ModuleType, tmp_path: Path, groups: int) -> None:
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "first"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Conv", ["y", "second"], ["z"], group=groups),
        ],
        "g",
        [helper.make_tensor_value_info("x", kind, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("z", kind, ["n", 8, "a", "b"])],
        [
            helper.make_tensor("first", kind, [4, 3, 3, 3], [0.0] * 108),
            helper.make_tensor("second", kind, [8, 4 // groups, 1, 1], [0.0] * (32 // groups)),
        ],
    )
    path = tmp_path / "a.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    # 64 px → 32 px: 4 channels of 3 · 9 products, then 8 of 4, or of 1 with four groups.
    assert tool.gigaflops(path, 64) == pytest.approx(2 * 32 * 32 * (4 * 27 + 8 * 4 / groups) / 1e9)
