"""The shipped detector as ``maskdet export`` lays it out: the answers of the graph as torch's exporter writes it."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from maskdet.detector.dfl import put_bins_last
from maskdet.detector.graph_layout import lay_out
from maskdet.weights import default_model

onnx = pytest.importorskip("onnx")


def test_the_shipped_detector_answers_alike_and_keeps_its_weights_by_name() -> None:
    path = default_model().path
    model = onnx.load(path)
    names = {tensor.name for tensor in model.graph.initializer}
    lay_out(model)
    assert lay_out(model) == 0
    assert not put_bins_last(model)
    onnx.checker.check_model(model, full_check=True)
    assert names <= {tensor.name for tensor in model.graph.initializer}
    # Nothing that is computed from a picture is split any more, but for the boxes' corners.
    stored = {tensor.name for tensor in model.graph.initializer}
    computed = stored | {output for node in model.graph.node if node.op_type == "Split" for output in node.output}
    assert all(node.input[0] in computed for node in model.graph.node if node.op_type == "Split")
    before, after = (
        onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        for content in (path.read_bytes(), model.SerializeToString())
    )
    rng = np.random.default_rng(0)
    for shape in ((1, 3, 64, 96), (2, 3, 96, 64)):
        batch = rng.random(shape, dtype=np.float32)
        one, two = (session.run(None, {"images": batch})[0] for session in (before, after))
        np.testing.assert_allclose(two[:, :4], one[:, :4], atol=1e-3)  # px
        np.testing.assert_allclose(two[:, 4:], one[:, 4:], atol=1e-5)
