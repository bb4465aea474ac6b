from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from maskdet.weights import default_model

onnx = pytest.importorskip("onnx")


def network(path: Path, weight: float, *, width: int = 2, metadata: dict[str, str] | None = None) -> Path:
    """Write a 1×1 convolution with all weights alike, and a constant that no training changes."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    held = {
        "a.conv.weight": np.full((1, width, 1, 1), weight, np.float32),
        "a.conv.bias": np.full(1, -weight, np.float32),
        "a.dfl.conv.weight": np.full((1, 1, 1, 1), weight, np.float32),
        "constant": np.full(1, weight, np.float32),
    }
    graph = helper.make_graph(
        [helper.make_node("Conv", ["images", "a.conv.weight", "a.conv.bias"], ["output0"])],
        "g",
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [1, width, 4, 4])],
        [helper.make_tensor_value_info("output0", onnx.TensorProto.FLOAT, [1, 1, 4, 4])],
        [numpy_helper.from_array(array, name) for name, array in held.items()],
    )
    model = helper.make_model(graph)
    helper.set_model_props(model, {"maskdet_training": path.stem, **(metadata or {})})
    onnx.save(model, path)
    return path


def test_what_was_learnt_is_the_mean_and_the_rest_the_last_ones(tool: ModuleType, tmp_path: Path) -> None:
    runs = [network(tmp_path / f"{name}.onnx", weight) for name, weight in (("one", 1.0), ("two", 2.0), ("six", 6.0))]
    written = onnx.load(tool.average(tmp_path / "mean.onnx", runs))
    held = {one.name: onnx.numpy_helper.to_array(one).ravel().tolist() for one in written.graph.initializer}
    assert held == {
        "a.conv.weight": [3.0, 3.0],
        "a.conv.bias": [-3.0],
        "a.dfl.conv.weight": [6.0],
        "constant": [6.0],
    }
    said = {entry.key: entry.value for entry in written.metadata_props}
    assert said["maskdet_training"] == "six"
    assert json.loads(said["maskdet_mean_of"]) == ["one", "two", "six"]


def test_other_networks_and_calibrated_ones_are_refused(tool: ModuleType, tmp_path: Path) -> None:
    one = network(tmp_path / "a.onnx", 1.0)
    with pytest.raises(SystemExit, match="the networks differ"):
        tool.average(tmp_path / "mean.onnx", [one, network(tmp_path / "b.onnx", 1.0, width=3)])
    calibrated = network(tmp_path / "c.onnx", 1.0, metadata={"maskdet_calibration": "{}"})
    with pytest.raises(SystemExit, match=r"c\.onnx is calibrated: give the file as maskdet export wrote it"):
        tool.average(tmp_path / "mean.onnx", [one, calibrated])
    assert not (tmp_path / "mean.onnx").exists()


def test_the_mean_of_a_detector_with_itself_is_the_detector(tool: ModuleType, tmp_path: Path) -> None:
    model = onnx.load(default_model().path)
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key != "maskdet_calibration"}
    onnx.helper.set_model_props(model, kept)
    onnx.save(model, tmp_path / "bare.onnx")
    written = onnx.load(tool.average(tmp_path / "mean.onnx", [tmp_path / "bare.onnx"] * 2))
    for before, after in zip(model.graph.initializer, written.graph.initializer, strict=True):
        np.testing.assert_array_equal(onnx.numpy_helper.to_array(before), onnx.numpy_helper.to_array(after))
