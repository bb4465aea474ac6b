from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskdet.chain.evaluation.thresholds import choose, choose_thresholds
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.cli import main
from maskdet.detector.evaluation.labelled_split import Truth, read_split
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.runtime import OnnxRuntime

pytest.importorskip("faster_coco_eval")
pytest.importorskip("onnx")


def test_each_class_has_its_best_f1_and_one_of_few_faces_is_drawn_to_all() -> None:
    """Two masks, found at 0.8 and 0.6 beside a false one at 0.7; one bare face, found at 0.5 beside a false one at 0.4.

    Masks: F1 is 4/5 below 0.6, so the threshold is half-way down, 0.3. Bare: 2/2 from 0.4 to 0.5, so 0.45. Together,
    the mean of both is greatest there too: (4/5 + 1) / 2 at 0.45.
    """
    places = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]], np.float64)
    truth = Truth(places, np.array([0, 0, 1]))
    boxes = np.array([*places, [60, 0, 70, 10], [80, 0, 90, 10]], np.float32)
    found = Detections(boxes, np.array([0.8, 0.6, 0.5, 0.7, 0.4], np.float32), np.array([0, 0, 1, 0, 1]))
    chosen = choose([truth], [found], (2, 1, 0))
    assert chosen.best == pytest.approx((0.3, 0.45, 0.45))
    assert chosen.common == pytest.approx(0.45)
    # Of two faces the own threshold counts 2 of 52 parts.
    assert chosen.chosen == pytest.approx((0.45 - 0.15 * 2 / 52, 0.45, 0.45))
    assert chosen.f1[1] == pytest.approx((2 / 3, 1.0))


def test_what_cannot_be_calibrated_is_one_line(
    two_photos: Path, as_exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["val", f"model={as_exported}", f"data={two_photos}", "--calibrate"])
    assert stop.value.code == 2
    assert "right and wrong detections are both needed" in capsys.readouterr().err


def test_a_calibrated_file_keeps_its_calibration(
    two_photos: Path, tmp_path: Path, tiny_classifier: Path, sure_of_masks: Path
) -> None:
    detector, classifier = MaskDetector(sure_of_masks), MaskClassifier(tiny_classifier)
    said = {"maskdet_calibration": json.dumps({"schema": "maskdet-calibration/1", "temperature": 1.0, "bias": 0.0})}
    detector.runtime.spec.metadata.update(said)  # type: ignore[attr-defined]
    chosen = choose_thresholds(detector, classifier, read_split(two_photos), classifier_sha256="abc")
    assert chosen.calibration is None
    # The detector says with_mask of both photos, with 0.8; the classifier goes by colour, and green is without_mask:
    # 0.3 is the better score of that class on the face, so that the fused one is 0.3 ^ 0.3 · 0.8 ^ 0.7 · (almost 1).
    assert chosen.faces == (1, 1, 0)
    assert chosen.detect.f1[0] == pytest.approx((2 / 3, 2 / 3))
    assert chosen.chain.f1[1] == pytest.approx((1.0, 1.0))
    notes = chosen.notes()
    assert notes["chain"]["classifier"] == "tiny" and notes["chain"]["sha256"] == "abc"
    assert set(notes["chain"]["conf"]) == set(notes["best_f1_conf_per_class"]) == set(CLASS_NAMES)
    assert "ece_before" not in notes


def test_the_command_writes_what_detect_reads(
    two_photos: Path, tmp_path: Path, tiny_classifier: Path, sure_of_masks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from maskdet.detector.export.calibrated_onnx import write_notes
    from maskdet.errors import WeightsError

    with pytest.raises(WeightsError, match="is not calibrated"):
        write_notes(sure_of_masks, tmp_path / "out.onnx", {})
    onnx = pytest.importorskip("onnx")
    model = onnx.load(sure_of_masks)
    said = {"schema": "maskdet-calibration/1", "temperature": 1.0, "bias": 0.0, "fitted_on": "folds"}
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, {**metadata, "maskdet_calibration": json.dumps(said)})
    onnx.save(model, sure_of_masks)
    words = ["val", f"model={sure_of_masks}", f"data={two_photos}", "--classifier", str(tiny_classifier)]
    with pytest.raises(SystemExit) as stop:
        main([*words, "--calibrate", "--save", str(tmp_path / "out"), "--json", str(tmp_path / "t.json")])
    assert stop.value.code == 0
    assert "chain, tiny" in capsys.readouterr().out
    report = json.loads((tmp_path / "t.json").read_text())
    assert report["schema"] == "maskdet-thresholds/1"
    noted = json.loads(OnnxRuntime(tmp_path / "out/sure.onnx", name="a").spec.metadata["maskdet_calibration"])
    assert noted["fitted_on"] == "folds"
    assert noted["chain"] == report["notes"]["chain"]
    written = MaskDetector(tmp_path / "out/sure.onnx")
    limits = written.chain_limits("tiny")
    assert limits.fused is not None
    assert limits.fused.tolist() == pytest.approx([noted["chain"]["conf"][name] for name in CLASS_NAMES])
    with pytest.raises(SystemExit) as stop:
        main([*words, "--calibrate", "--save", str(sure_of_masks.parent)])
    assert stop.value.code == 2
