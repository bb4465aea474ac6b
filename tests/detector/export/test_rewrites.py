"""A detector as ``maskdet export`` lays it out: the answers of the graph as torch's exporter writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from maskdet.detector.export.rewrites import lay_out, put_bins_last
from maskdet.weights import default_model

onnx = pytest.importorskip("onnx")

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's tracer warns of every branch it fixes


def test_a_raw_export_answers_alike_and_keeps_its_weights_by_name(raw_export: Path) -> None:
    model = onnx.load(raw_export)
    names = {tensor.name for tensor in model.graph.initializer}
    # The box distribution, a convolution before the halves of each of eight C2f blocks, two enlargements.
    assert lay_out(model) == 1 + 8 + 2
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
        for content in (raw_export.read_bytes(), model.SerializeToString())
    )
    rng = np.random.default_rng(0)
    for shape in ((1, 3, 64, 96), (2, 3, 96, 64)):
        batch = rng.random(shape, dtype=np.float32)
        one, two = (session.run(None, {"images": batch})[0] for session in (before, after))
        np.testing.assert_allclose(two[:, :4], one[:, :4], atol=1e-3)  # px
        np.testing.assert_allclose(two[:, 4:], one[:, 4:], atol=1e-5)


def test_the_shipped_detector_is_laid_out() -> None:
    assert lay_out(onnx.load(default_model().path)) == 0
