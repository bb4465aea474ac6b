from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.chain.evaluation.thresholds import choose, choose_thresholds, cross_fitted
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.cli import main
from maskdet.detector.evaluation.calibration import Judged, fit_per_class
from maskdet.detector.evaluation.labelled_split import Truth, read_split
from maskdet.detector.export.calibrated_onnx import write_calibration
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.detector.inference.thresholds import Calibration

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


#: Of three boxes in each of ten photos, masks at 0.9 and 0.3 and a bare face at 0.6: which of them find a face.
RIGHT = np.array([[1 <= at <= 8, at % 3 == 1 and at < 9, at % 2 == 0] for at in range(10)])
BOXES = ((0, 32, 20, 0.9), (0, 10, 12, 0.3), (1, 54, 12, 0.6))


def by_hand() -> Judged:
    class_ids, scores = (np.tile([box[at] for box in BOXES], 10) for at in (0, 3))
    # Within a class the most confident first, photo by photo, as here.
    return Judged(np.repeat(np.arange(10), 3), class_ids.astype(np.int64), scores.astype(np.float64), RIGHT.ravel())


@pytest.fixture
def ten_photos(tmp_path: Path) -> Path:
    for folder in ("images/val", "labels/val"):
        (tmp_path / folder).mkdir(parents=True)
    for at, found in enumerate(RIGHT):
        cv2.imwrite(str(tmp_path / f"images/val/{at}.png"), np.zeros((32, 64, 3), np.uint8))
        faces = [box for box, right in zip(BOXES, found, strict=True) if right]
        lines = [f"{class_id} {middle / 64} 0.5 {side / 64} {side / 32}" for class_id, middle, side, _ in faces]
        (tmp_path / f"labels/val/{at}.txt").write_text("\n".join(lines))
    (tmp_path / "data.yaml").write_text("val: images/val\nnames: [with_mask, without_mask, mask_weared_incorrect]\n")
    return tmp_path


@pytest.fixture
def made(tmp_path: Path, write_constant: Callable[..., Path]) -> Path:
    """Return the file of a detector that finds the three boxes in every photo."""
    rows = [[middle, 16, side, side, *np.eye(3)[class_id] * score] for class_id, middle, side, score in BOXES]
    return write_constant(tmp_path / "made.onnx", rows, sigmoid=True)


def test_a_split_gives_each_class_its_calibration(ten_photos: Path, made: Path, tiny_classifier: Path) -> None:
    labelled, classifier = read_split(ten_photos), MaskClassifier(tiny_classifier)
    chosen = choose_thresholds(MaskDetector(made), classifier, labelled, classifier_sha256="abc")
    expected = fit_per_class(by_hand())
    assert chosen.calibration.temperature == pytest.approx(expected.temperature, rel=1e-4)
    assert chosen.calibration.bias == pytest.approx(expected.bias, abs=1e-4)
    # Before: of ten masks at 0.9 eight are right, of ten at 0.3 three, and of ten bare faces at 0.6 five.
    assert chosen.ece_by_class[0.05]["with_mask"][0] == pytest.approx((0.1 + 0.0) / 2, abs=1e-6)
    assert chosen.ece_by_class[0.05]["without_mask"][0] == pytest.approx(0.1, abs=1e-6)
    assert chosen.ece[0.05][0] == pytest.approx((0.1 + 0.0 + 0.1) / 3, abs=1e-6)
    notes = chosen.notes()
    noted = notes["ece_after_by_class"]["0.05"]
    assert noted["with_mask"] == pytest.approx(chosen.ece_by_class[0.05]["with_mask"][1])
    assert noted["mask_weared_incorrect"] is None
    assert chosen.faces == (8 + 3, 5, 0)
    assert notes["chain"]["classifier"] == "tiny" and notes["chain"]["sha256"] == "abc"
    assert set(notes["chain"]["conf"]) == set(notes["best_f1_conf_per_class"]) == set(CLASS_NAMES)


def test_what_a_part_is_judged_by_has_not_seen_it() -> None:
    judged = by_hand()
    first = judged.photos < 2
    other = Judged(judged.photos, judged.class_ids, judged.scores, judged.right | first)
    one, two = cross_fitted(judged), cross_fitted(other)
    np.testing.assert_array_equal(one[first], two[first])
    assert not np.isclose(one[~first], two[~first]).any()


def test_what_cannot_be_calibrated_is_one_line(
    two_photos: Path, as_exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["val", f"model={as_exported}", f"data={two_photos}", "--calibrate"])
    assert stop.value.code == 2
    assert "right and wrong detections are both needed" in capsys.readouterr().err


def test_the_command_calibrates_anew_and_writes_what_detect_reads(
    ten_photos: Path, made: Path, tmp_path: Path, tiny_classifier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = choose_thresholds(MaskDetector(made), MaskClassifier(tiny_classifier), read_split(ten_photos))
    write_calibration(made, made, Calibration(2.0, 1.0), {"fitted_on": "other photos"})
    words = ["val", f"model={made}", f"data={ten_photos}", "--classifier", str(tiny_classifier), "--calibrate"]
    with pytest.raises(SystemExit) as stop:
        main([*words, "--save", str(tmp_path / "out"), "--json", str(tmp_path / "t.json")])
    assert stop.value.code == 0
    assert "chain, tiny" in capsys.readouterr().out
    report = json.loads((tmp_path / "t.json").read_text())
    assert report["schema"] == "maskdet-thresholds/1"
    noted = json.loads(OnnxRuntime(tmp_path / "out/made.onnx", name="a").spec.metadata["maskdet_calibration"])
    # As if it had never been calibrated: the scores before are those of training.
    assert noted["temperature"] == pytest.approx(fresh.calibration.temperature, rel=1e-4)
    assert noted["bias"] == pytest.approx(fresh.calibration.bias, abs=1e-4)
    assert "other photos" not in noted["fitted_on"]
    assert noted["chain"] == report["notes"]["chain"]
    written = MaskDetector(tmp_path / "out/made.onnx")
    limits = written.chain_limits("tiny")
    assert limits.fused is not None
    assert limits.fused.tolist() == pytest.approx([noted["chain"]["conf"][name] for name in CLASS_NAMES])
    with pytest.raises(SystemExit) as stop:
        main([*words, "--save", str(made.parent)])
    assert stop.value.code == 2
