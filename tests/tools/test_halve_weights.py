"""The shipped detector in half the bytes: the same faces, the same metadata, and still something to train on."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
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
