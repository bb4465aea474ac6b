"""The box distribution's decoding with its bins on the last axis: the same numbers, in another order of the axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from maskdet.detector.export.rewrites import put_bins_last

onnx = pytest.importorskip("onnx")


def decoding(order: tuple[int, ...] = (0, 2, 1, 3), axis: int = 1, *, shared: bool = False) -> Any:
    """Return a model: (1, 4, 3, anchors) logits → means of the distances 0, 1 and 2, (1, 4, anchors)."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    distances = np.arange(3, dtype=np.float32).reshape(1, 3, 1, 1)
    nodes = [
        helper.make_node("Transpose", ["logits"], ["bins"], perm=order, name="turn"),
        helper.make_node("Softmax", ["bins"], ["weights"], axis=axis, name="softmax"),
        helper.make_node("Conv", ["weights", "distances"], ["means"], name="mean"),
        helper.make_node("Reshape", ["means", "flat"], ["output0"], name="rows"),
    ]
    outputs = [helper.make_tensor_value_info("output0", kind, [1, 4, "anchors"])]
    if shared:
        outputs.append(helper.make_tensor_value_info("copy", kind, [1, 3, 4, "anchors"]))
        nodes.append(helper.make_node("Identity", ["weights"], ["copy"], name="copy"))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("logits", kind, [1, 4, 3, "anchors"])],
        outputs,
        [
            onnx.numpy_helper.from_array(distances, "distances"),
            onnx.numpy_helper.from_array(np.array([1, 4, -1], np.int64), "flat"),
        ],
        value_info=[helper.make_tensor_value_info("bins", kind, [1, 3, 4, "anchors"])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def run(model: Any, logits: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"logits": logits})[0]


def test_the_means_stay_what_they_were() -> None:
    logits = np.zeros((1, 4, 3, 2), np.float32)
    # Weights ¼, ¼ and ½ of the first anchor's left side: 0 · ¼ + 1 · ¼ + 2 · ½ = 1.25. The others are even: 1.
    logits[0, 0, :, 0] = np.log([1, 1, 2])
    model = decoding()
    assert put_bins_last(model)
    assert [node.op_type for node in model.graph.node] == ["Transpose", "Softmax", "MatMul", "Reshape"]
    assert not model.graph.value_info
    onnx.checker.check_model(model)
    assert run(model, logits)[0].tolist() == [[1.25, 1.0]] + [[1.0, 1.0]] * 3

    noise = np.random.default_rng(0).normal(size=(1, 4, 3, 50)).astype(np.float32)
    np.testing.assert_allclose(run(model, noise), run(decoding(), noise), atol=1e-6)


@pytest.mark.parametrize(
    "model", [decoding(axis=2), decoding((0, 1, 2, 3)), decoding(shared=True)], ids=["axis", "order", "shared"]
)
def test_another_graph_is_left_as_it_is(model: Any) -> None:
    before = model.SerializeToString()
    assert not put_bins_last(model)
    assert model.SerializeToString() == before


@pytest.mark.filterwarnings("ignore")  # torch's tracer warns of every branch it fixes
def test_it_is_done_once(raw_export: Path) -> None:
    model = onnx.load(raw_export)
    assert put_bins_last(model)
    assert not put_bins_last(model)
    batch = np.random.default_rng(0).random((1, 3, 64, 96), dtype=np.float32)
    before = onnxruntime.InferenceSession(raw_export, providers=["CPUExecutionProvider"])
    after = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    one, two = (session.run(None, {"images": batch})[0] for session in (before, after))
    np.testing.assert_allclose(one, two, atol=1e-3)
