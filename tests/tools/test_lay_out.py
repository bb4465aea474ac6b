"""An older file's graph rewritten: other nodes, the same answers and metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from maskdet.detector.inference.runtime import OnnxRuntime

onnx = pytest.importorskip("onnx")


@pytest.fixture
def old(write_detector: Callable[[Path], Path], tmp_path: Path) -> Path:
    """Return the tiny detector with a backbone of 32 channels that is split and joined again."""
    path = write_detector(tmp_path / "old.onnx")
    model = onnx.load(path)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, widths in (("w1", ((0, 28), (0, 0), (0, 0), (0, 0))), ("b1", ((0, 28),)), ("w2", ((0, 0), (0, 28)))):
        array = onnx.numpy_helper.to_array(weights[name])
        wider = np.pad(array, [*widths, *[(0, 0)] * (array.ndim - len(widths))])
        weights[name].CopyFrom(onnx.numpy_helper.from_array(wider, name))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([16, 16], np.int64), "halves"))
    head = next(node for node in model.graph.node if node.name == "head")
    place = list(model.graph.node).index(head)
    head.input[0] = "joined"
    model.graph.node.insert(place, onnx.helper.make_node("Concat", ["a", "b"], ["joined"], axis=1, name="both"))
    model.graph.node.insert(place, onnx.helper.make_node("Split", ["silu", "halves"], ["a", "b"], axis=1, name="c2f"))
    onnx.save(model, path)
    return path


def test_the_rewritten_file_answers_alike(tool: ModuleType, old: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.onnx"
    assert tool.lay_out_file(old, target) == 1
    before, after = (OnnxRuntime(path, name="x") for path in (old, target))
    assert after.spec == before.spec
    assert [node.op_type for node in onnx.load(old).graph.node].count("Conv") == 2
    assert [node.op_type for node in onnx.load(target).graph.node].count("Conv") == 3
    batch = np.random.default_rng(0).random((2, 3, 32, 96), dtype=np.float32)
    np.testing.assert_allclose(after(batch), before(batch), rtol=1e-5)


def test_what_is_laid_out_already_is_said_in_one_line(tool: ModuleType, old: Path, tmp_path: Path) -> None:
    tool.main([str(old), str(old)])
    with pytest.raises(SystemExit, match=r"^error: .*old\.onnx: nothing to rewrite: it is laid out already"):
        tool.main([str(old), str(tmp_path / "again.onnx")])
    assert not (tmp_path / "again.onnx").exists()
