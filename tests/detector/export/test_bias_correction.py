"""Biases after rounding, against outputs computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from maskdet.detector.export.bias_correction import correct_biases

onnx = pytest.importorskip("onnx")


def conv(*, quantised: bool, group: int = 1) -> Any:
    """Return (1, 2, h, w) → a 1×1 convolution; its weights .25 and 1 per output, rounded to 0 and 1 where quantised."""
    helper, array, kind = onnx.helper, onnx.numpy_helper.from_array, onnx.TensorProto.FLOAT
    weight = np.array([[0.25, 1], [1, 0.25]], np.float32)[..., None, None]
    if group == 2:
        weight = np.array([[0.25], [1]], np.float32)[..., None, None]
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"], name="conv", group=group)]
    stored = [array(weight, "w"), array(np.zeros(2, np.float32), "b")]
    if quantised:
        nodes[:0] = [
            helper.make_node("DequantizeLinear", ["steps", "one", "zero"], ["w"], axis=0),
            helper.make_node("DequantizeLinear", ["bias_steps", "fine", "zero32"], ["b"], axis=0),
        ]
        stored = [
            array(np.floor(weight).astype(np.int8), "steps"),
            array(np.ones(2, np.float32), "one"),
            array(np.zeros(2, np.int8), "zero"),
            array(np.zeros(2, np.int32), "bias_steps"),
            array(np.full(2, 2**-10, np.float32), "fine"),
            array(np.zeros(2, np.int32), "zero32"),
        ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [value("x", kind, [1, 2, "h", "w"])], [value("y", kind, [1, 2, "h", "w"])], stored
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def means(model: Any, x: np.ndarray[Any, np.dtype[np.float32]]) -> list[float]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    means: list[float] = session.run(None, {"x": x})[0].mean(axis=(0, 2, 3)).tolist()
    return means


def test_the_mean_output_is_that_of_the_float_convolution() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((1, 2, 8, 8), dtype=np.float32)
    x += np.array([4, 8], np.float32)[:, None, None] - x.mean(axis=(2, 3), keepdims=True)[0]
    source, made = conv(quantised=False), conv(quantised=True)
    # Channel means 4 and 8: ¼ · 4 + 8 = 9 and 4 + ¼ · 8 = 6; with ¼ rounded to 0, 8 and 4.
    assert means(source, x) == pytest.approx([9, 6], abs=1e-4)
    assert means(made, x) == pytest.approx([8, 4], abs=1e-4)
    assert correct_biases(source, made, [x]) == 1
    assert means(made, x) == pytest.approx([9, 6], abs=1e-3)


def test_each_group_sees_its_own_channels() -> None:
    x = np.empty((1, 2, 4, 4), np.float32)
    x[:, 0], x[:, 1] = 4, 8
    source, made = conv(quantised=False, group=2), conv(quantised=True, group=2)
    assert correct_biases(source, made, [x]) == 1
    assert means(source, x) == pytest.approx([1, 8])
    assert means(made, x) == pytest.approx([1, 8], abs=1e-3)


def test_without_rounding_nothing_is_corrected() -> None:
    made = conv(quantised=False)
    before = made.SerializeToString()
    assert correct_biases(conv(quantised=False), made, []) == 0
    assert made.SerializeToString() == before
