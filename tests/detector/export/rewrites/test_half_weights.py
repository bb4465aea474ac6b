"""Weights in half precision: half the bytes under the same names, widened before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from maskdet.detector.export.rewrites.half_weights import LEAST_NUMBERS, halve_weights

onnx = pytest.importorskip("onnx")

WIDTH = LEAST_NUMBERS


def model_of(weight: npt.NDArray[np.float32]) -> Any:
    """Return a model: x (1,) → x · weight + 0.1, the weight large, the bias small."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Mul", ["x", "a.weight"], ["scaled"], name="scale"),
        helper.make_node("Add", ["scaled", "a.bias"], ["y"], name="shift"),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, [1])],
        [helper.make_tensor_value_info("y", kind, [len(weight)])],
        [
            onnx.numpy_helper.from_array(weight, "a.weight"),
            onnx.numpy_helper.from_array(np.array([0.1], np.float32), "a.bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def run(model: Any, x: float) -> npt.NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answer: npt.NDArray[np.float32] = session.run(None, {"x": np.array([x], np.float32)})[0]
    return answer


def test_large_weights_are_rounded_to_eleven_bits_and_the_rest_is_float32() -> None:
    weight = np.full(WIDTH, 1.0, np.float32)
    weight[1], weight[2] = 1 + 2**-10, 1 + 2**-12  # the last bit that float16 holds after 1, and one it does not
    model = model_of(weight)
    assert halve_weights(model) == 1
    onnx.checker.check_model(model, full_check=True)
    held = {tensor.name: onnx.numpy_helper.to_array(tensor).dtype for tensor in model.graph.initializer}
    assert held == {"a.weight": np.float16, "a.bias": np.float32}
    # 2¹¹ · weight + 0.1 in float32: a product in float16 could not hold 2048 + 2 + 0.1.
    np.testing.assert_allclose(run(model, 2048)[:3], [2048.1, 2050.1, 2048.1], rtol=1e-6)
    assert halve_weights(model) == 0


@pytest.mark.parametrize(
    "weight",
    [np.ones(WIDTH - 1, np.float32), np.full(WIDTH, 70_000, np.float32)],
    ids=["small", "beyond what float16 holds"],
)
def test_other_tensors_are_left_as_they_are(weight: npt.NDArray[np.float32]) -> None:
    model = model_of(weight)
    before = model.SerializeToString()
    assert halve_weights(model) == 0
    assert model.SerializeToString() == before
