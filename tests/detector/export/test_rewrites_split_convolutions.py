"""A split convolution as two: the same numbers, and no split of what the network computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from maskdet.detector.export.rewrites import convolve_halves

onnx = pytest.importorskip("onnx")


def block(half: int = 16, axis: int = 1, *, shared: bool = False) -> Any:
    """Return a model: (1, 1, h, w) → a 1×1 convolution to 2 · half channels → SiLU → its two halves."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weight = np.arange(2 * half, dtype=np.float32).reshape(-1, 1, 1, 1)
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["raw"], kernel_shape=[1, 1], name="conv"),
        helper.make_node("Sigmoid", ["raw"], ["gate"], name="gate"),
        helper.make_node("Mul", ["raw", "gate"], ["silu"], name="silu"),
        helper.make_node("Split", ["silu", "sizes"], ["first", "second"], axis=axis, name="split"),
    ]
    names = ["first", "second", *(["raw"] if shared else [])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, [1, 1, 32, "w"])],
        [helper.make_tensor_value_info(name, kind, ["n", "c", "h", "v"]) for name in names],
        [
            onnx.numpy_helper.from_array(weight, "weight"),
            onnx.numpy_helper.from_array(np.full(2 * half, -1, np.float32), "bias"),
            onnx.numpy_helper.from_array(np.array([half, half], np.int64), "sizes"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def run(model: Any, x: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["first", "second"], {"x": x})


def test_each_half_is_a_convolution_of_its_own() -> None:
    model = block()
    assert convolve_halves(model) == 1
    onnx.checker.check_model(model, full_check=True)
    # What is split are the weights, kept under their names; a runtime does it once.
    assert [(node.op_type, node.input[0]) for node in model.graph.node if node.op_type == "Split"] == [
        ("Split", "weight"),
        ("Split", "bias"),
    ]
    assert [node.op_type for node in model.graph.node].count("Conv") == 2
    assert {tensor.name for tensor in model.graph.initializer} == {"weight", "bias", "sizes"}
    first, second = run(model, np.ones((1, 1, 32, 1), np.float32))
    # Channel k is SiLU(k · 1 - 1): of the first half's second channel 0, of the second half's first 15 · σ(15).
    assert first[0, 1, 0, 0] == 0
    assert second[0, 0, 0, 0] == pytest.approx(15 / (1 + np.exp(-15)), abs=1e-5)

    noise = np.random.default_rng(0).normal(size=(1, 1, 32, 7)).astype(np.float32)
    for one, two in zip(run(model, noise), run(block(), noise), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    assert convolve_halves(model) == 0


@pytest.mark.parametrize("model", [block(half=8), block(axis=2), block(shared=True)], ids=["narrow", "rows", "shared"])
def test_another_graph_is_left_as_it_is(model: Any) -> None:
    before = model.SerializeToString()
    assert convolve_halves(model) == 0
    assert model.SerializeToString() == before
