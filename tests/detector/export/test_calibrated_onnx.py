from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.detector.export.calibrated_onnx import without_calibration, write_calibration
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.detector.inference.thresholds import Calibration, read_calibration
from maskdet.errors import WeightsError
from maskdet.imaging.decode import decode_file
from maskdet.imaging.tensor import to_tensor

onnx = pytest.importorskip("onnx")


@pytest.mark.parametrize(
    "calibration",
    [
        Calibration(),
        Calibration(0.5, 0.3),
        Calibration(2.0),
        Calibration((0.5, 1.5, 1.0), (0.3, -0.2, 0.0)),
    ],
)
def test_scores_are_calibrated_and_boxes_are_not(
    as_exported: Path, tmp_path: Path, astronaut: Path, calibration: Calibration
) -> None:
    target = write_calibration(as_exported, tmp_path / "out" / "calibrated.onnx", calibration, {"fitted_on": "x"})
    before, after = OnnxRuntime(as_exported, name="a"), OnnxRuntime(target, name="b")
    batch = to_tensor([cv2.resize(decode_file(astronaut), (320, 320))])
    one, two = before(batch), after(batch)
    np.testing.assert_array_equal(two[:, :4], one[:, :4])
    # Of scores next to nothing float32 has lost the logit.
    known = one[:, 4:] > 1e-3
    assert one[:, 4:].max() > 0.5
    class_ids = np.broadcast_to(np.arange(3)[:, None], one[0, 4:].shape)[None]
    expected = calibration.apply(one[:, 4:], class_ids)
    np.testing.assert_allclose(two[:, 4:][known], expected[known], atol=1e-4)
    assert read_calibration(before.spec.metadata) is None
    assert read_calibration(after.spec.metadata) == {
        "schema": "maskdet-calibration/1",
        **json.loads(json.dumps({"temperature": calibration.temperature, "bias": calibration.bias})),
        "fitted_on": "x",
    }
    assert {**after.spec.metadata}.keys() - {**before.spec.metadata}.keys() == {"maskdet_calibration"}


def test_what_was_put_in_is_taken_out(as_exported: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.onnx"
    for calibration in (Calibration(0.5, 0.3), Calibration((0.5, 1.5, 1.0), (0.3, -0.2, 0.0))):
        write_calibration(as_exported, tmp_path / "calibrated.onnx", calibration)
        without_calibration(tmp_path / "calibrated.onnx", bare)
        batch = np.random.default_rng(0).random((1, 3, 320, 320), np.float32)
        before, after = OnnxRuntime(as_exported, name="a"), OnnxRuntime(bare, name="b")
        np.testing.assert_array_equal(after(batch), before(batch))
        assert {**after.spec.metadata} == {**before.spec.metadata}
    model = onnx.load(tmp_path / "calibrated.onnx")
    for node in model.graph.node:
        node.name = ""
    onnx.save(model, tmp_path / "renamed.onnx")
    with pytest.raises(WeightsError, match="is calibrated, and not by maskdet"):
        without_calibration(tmp_path / "renamed.onnx", bare)


def test_only_once_and_only_a_detector(as_exported: Path, tmp_path: Path, tiny_classifier: Path) -> None:
    target = write_calibration(as_exported, tmp_path / "calibrated.onnx", Calibration(0.5))
    with pytest.raises(WeightsError, match="is calibrated already"):
        write_calibration(target, target, Calibration(0.5))
    with pytest.raises(WeightsError, match="no detector that can be calibrated: 0 sigmoids"):
        write_calibration(tiny_classifier, target, Calibration(0.5))
    (tmp_path / "broken.onnx").write_bytes(b"broken")
    with pytest.raises(WeightsError, match=r"broken\.onnx: not an ONNX model"):
        write_calibration(tmp_path / "broken.onnx", target, Calibration(0.5))
