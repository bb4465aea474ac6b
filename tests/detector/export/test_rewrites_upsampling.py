"""A convolution before the enlargement: the same numbers, of a quarter of the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from maskdet.detector.export.rewrites import convolve_before_upsampling

onnx = pytest.importorskip("onnx")


def neck(mode: str = "nearest", kernel: int = 1, *, shared: bool = False) -> Any:
    """Return a model: 2 coarse channels, enlarged twice, joined with 1 fine one, convolved to 1."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weight = np.zeros((1, 3, kernel, kernel), np.float32)
    weight[0, :, kernel // 2, kernel // 2] = [1, 10, 100]
    nodes = [
        helper.make_node("Resize", ["coarse", "", "factors"], ["large"], mode=mode, name="enlarge"),
        helper.make_node("Concat", ["large", "fine"], ["joined"], axis=1, name="join"),
        helper.make_node(
            "Conv",
            ["joined", "weight", "bias"],
            ["output"],
            kernel_shape=[kernel] * 2,
            pads=[kernel // 2] * 4,
            name="conv",
        ),
    ]
    outputs = [helper.make_tensor_value_info("output", kind, [1, 1, "H", "W"])]
    if shared:
        outputs.append(helper.make_tensor_value_info("joined", kind, [1, 3, "H", "W"]))
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info("coarse", kind, [1, 2, "h", "w"]),
            helper.make_tensor_value_info("fine", kind, [1, 1, "H", "W"]),
        ],
        outputs,
        [
            onnx.numpy_helper.from_array(weight, "weight"),
            onnx.numpy_helper.from_array(np.array([1000], np.float32), "bias"),
            onnx.numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "factors"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def run(model: Any, **inputs: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["output"], inputs)[0]


def test_what_is_enlarged_is_convolved_first() -> None:
    model = neck()
    assert convolve_before_upsampling(model) == 1
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Split", "Conv", "Resize", "Conv", "Add"]
    coarse = np.array([[[[1, 2]], [[3, 4]]]], np.float32)
    fine = np.array([[[[5, 6, 7, 8], [0, 0, 0, 0]]]], np.float32)
    # The first pixel: 1 · 1 + 10 · 3 + 100 · 5 + 1000 = 1531; the last: 2 + 40 + 0 + 1000 = 1042.
    answer = run(model, coarse=coarse, fine=fine)
    assert answer.tolist() == [[[[1531, 1631, 1742, 1842], [1031, 1031, 1042, 1042]]]]
    np.testing.assert_array_equal(answer, run(neck(), coarse=coarse, fine=fine))

    rng = np.random.default_rng(0)
    noise = {
        "coarse": rng.normal(size=(1, 2, 5, 3)).astype(np.float32),
        "fine": rng.normal(size=(1, 1, 10, 6)).astype(np.float32),
    }
    np.testing.assert_allclose(run(model, **noise), run(neck(), **noise), atol=1e-3)
    assert convolve_before_upsampling(model) == 0


@pytest.mark.parametrize(
    "model", [neck("linear"), neck(kernel=3), neck(shared=True)], ids=["interpolated", "neighbours", "shared"]
)
def test_another_graph_is_left_as_it_is(model: Any) -> None:
    before = model.SerializeToString()
    assert convolve_before_upsampling(model) == 0
    assert model.SerializeToString() == before
