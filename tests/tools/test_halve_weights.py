"""The shipped detector in half the bytes: the same faces, the same metadata, and still something to train on."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from maskdet.detector.inference.model import MaskDetector
from maskdet.weights import default_model

onnx = pytest.importorskip("onnx")

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return the shipped detector as it was before: its float16 weights as float32, without the casts."""
    from onnx import TensorProto, numpy_helper

    model = onnx.load(default_model().path)
    half = {tensor.name: tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    casts = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast" and node.input[0] in half
    }
    for tensor in half.values():
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
    kept = [node for node in model.graph.node if node.output[0] not in casts]
    for node in kept:
        for at, name in enumerate(node.input):
            node.input[at] = casts.get(name, name)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    onnx.save(model, tmp_path / "whole.onnx")
    return tmp_path / "whole.onnx"


def test_half_the_size_with_the_same_faces(tool: ModuleType, whole: Path, tmp_path: Path, astronaut: Path) -> None:
    half = tmp_path / "half.onnx"
    tool.main([str(whole), str(half)])
    assert half.stat().st_size < 0.55 * whole.stat().st_size
    import cv2

    image = cv2.imread(str(astronaut))
    one, two = (MaskDetector(path) for path in (whole, half))
    assert two.metadata == one.metadata
    before, after = one.detect(image), two.detect(image)
    assert [face.name for face in after.faces] == [face.name for face in before.faces]
    np.testing.assert_allclose(
        [face.box for face in after.faces], [face.box for face in before.faces], atol=0.5, rtol=0
    )
    with pytest.raises(SystemExit, match="nothing to halve"):
        tool.main([str(half), str(tmp_path / "again.onnx")])


def test_training_can_start_from_it(tool: ModuleType, whole: Path, tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    from maskdet.detector.training.unfuse import unfuse

    half = tmp_path / "half.onnx"
    tool.main([str(whole), str(half)])
    photos = [ROOT / "examples" / "crew.jpg"]
    import torch

    networks = [
        torch.load(unfuse(path, photos, tmp_path / f"{path.stem}.pt"), weights_only=False)["model"].float().eval()
        for path in (whole, half)
    ]
    batch = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = (network(batch)[0] for network in networks)
    assert float((before[:, 4:] - after[:, 4:]).abs().max()) < 0.01


#: Smaller tensors stay as they are.
LEAST_NUMBERS = 1024


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


def test_large_weights_are_rounded_to_eleven_bits_and_the_rest_is_float32(tool: ModuleType) -> None:
    weight = np.full(LEAST_NUMBERS, 1.0, np.float32)
    weight[1], weight[2] = 1 + 2**-10, 1 + 2**-12  # the last bit that float16 holds after 1, and one it does not
    model = model_of(weight)
    assert tool.halve_weights(model) == 1
    onnx.checker.check_model(model, full_check=True)
    held = {tensor.name: onnx.numpy_helper.to_array(tensor).dtype for tensor in model.graph.initializer}
    assert held == {"a.weight": np.float16, "a.bias": np.float32}
    # 2¹¹ · weight + 0.1 in float32: a product in float16 could not hold 2048 + 2 + 0.1.
    np.testing.assert_allclose(run(model, 2048)[:3], [2048.1, 2050.1, 2048.1], rtol=1e-6)
    assert tool.halve_weights(model) == 0


@pytest.mark.parametrize(
    "weight",
    [np.ones(LEAST_NUMBERS - 1, np.float32), np.full(LEAST_NUMBERS, 70_000, np.float32)],
    ids=["small", "beyond what float16 holds"],
)
def test_other_tensors_are_left_as_they_are(tool: ModuleType, weight: npt.NDArray[np.float32]) -> None:
    model = model_of(weight)
    before = model.SerializeToString()
    assert tool.halve_weights(model) == 0
    assert model.SerializeToString() == before
