from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskdet.detector.evaluation.calibration import judge
from maskdet.detector.evaluation.folds.calibration import CalibrationReport, calibrate_folds
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.evaluation.operating_point import operating_point
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.thresholds import Calibration
from maskdet.statistics.calibration_error import expected_calibration_error

pytest.importorskip("faster_coco_eval")

#: What the made-up detectors' scores need.
KNOWN = Calibration(0.5)
FACE, ELSEWHERE = [0, 0, 40, 40], [100, 0, 140, 40]
FOLDS, PHOTOS = 3, 1200


@pytest.fixture(scope="module")
def folds() -> FoldSet:
    """One face a photo, of two classes in turn."""
    truths = tuple(Truth(np.array([FACE], float), np.array([at % 2])) for at in range(PHOTOS))
    test = LabelledSplit("folds", "val", tuple(Path(f"{at}.png") for at in range(PHOTOS)), truths)
    groups = tuple(np.arange(PHOTOS) + PHOTOS * fold for fold in range(FOLDS))
    return FoldSet("folds", (test,) * FOLDS, groups, (np.zeros(PHOTOS, bool),) * FOLDS, 0)


@pytest.fixture(scope="module")
def reported() -> list[list[Detections]]:
    """One detection a photo, of its class, on the face as often as ``KNOWN`` says."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(FOLDS):
        scores = rng.uniform(0.06, 0.95, PHOTOS)
        hits = rng.random(PHOTOS) < KNOWN.apply(scores)
        found.append(
            [
                Detections(np.float32([FACE if hit else ELSEWHERE]), np.float32([score]), np.array([at % 2]))
                for at, (score, hit) in enumerate(zip(scores, hits, strict=True))
            ]
        )
    return found


@pytest.fixture(scope="module")
def report(folds: FoldSet, reported: list[list[Detections]]) -> CalibrationReport:
    return calibrate_folds(folds, reported, chosen="temperature", resamples=20)


def test_the_known_temperature_is_found_and_helps(report: CalibrationReport) -> None:
    fitted = report.methods["temperature"]
    assert fitted.final.temperature == pytest.approx(KNOWN.temperature, rel=0.15)
    assert len(fitted.folds) == FOLDS
    before, after = (report.methods[name].errors[0.25].value for name in ("none", "temperature"))
    assert before is not None
    assert after is not None
    assert before > 0.08
    assert after < 0.05
    assert abs(report.methods["temperature_and_bias"].final.bias) < 0.2


def test_each_fold_is_judged_by_the_others(
    report: CalibrationReport, folds: FoldSet, reported: list[list[Detections]]
) -> None:
    # With every detection of fold 1 wrong, its own calibration stays as it was and the others' change.
    spoilt = [Detections(np.float32([ELSEWHERE]), one.confidences, one.class_ids) for one in reported[0]]
    changed = calibrate_folds(folds, [spoilt, *reported[1:]], resamples=0).methods["temperature"]
    before = report.methods["temperature"]
    assert changed.folds[0] == before.folds[0]
    assert all(changed.folds[at] != before.folds[at] for at in (1, 2))


def test_without_calibration_it_is_the_error_of_the_scores(
    report: CalibrationReport, folds: FoldSet, reported: list[list[Detections]]
) -> None:
    judged = judge([*folds.pooled.truths], [one for fold in reported for one in fold])
    above = judged.scores > 0.25
    expected = expected_calibration_error(judged.scores[above], judged.right[above])
    assert report.methods["none"].errors[0.25].value == pytest.approx(expected)
    assert report.methods["none"].counts[0.25] == above.sum()


def test_thresholds_are_of_calibrated_confidences(
    report: CalibrationReport, folds: FoldSet, reported: list[list[Detections]]
) -> None:
    shipped = report.thresholds["shipped"]
    assert shipped.final == (0.25, 0.25, 0.25)
    assert shipped.gain["mean"].value == 0
    # Fold by fold with its own calibration, the counts of all added up.
    right = wrong = missed = 0
    for test, found, calibration in zip(folds.tests, reported, report.methods["temperature"].folds, strict=True):
        counts = operating_point(test.truths, found, conf=calibration.undo(0.25)).classes[0]
        right, wrong, missed = right + counts.right, wrong + counts.wrong, missed + counts.missed
    assert shipped.figures["f1"]["with_mask"].value == pytest.approx(2 * right / (2 * right + wrong + missed))
    assert set(report.thresholds) == {"shipped", "one", "per_class"}
    one = report.thresholds["one"].final
    assert one == (one[0],) * 3


def test_plain_json(report: CalibrationReport) -> None:
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read["schema"] == "maskdet-calibration-folds/1"
    assert read["methods"]["none"]["final"] == {"temperature": 1.0, "bias": 0.0}
    assert read["methods"]["temperature"]["above"]["0.25"]["ece"]["value"] < 0.05


def test_the_diagram_is_drawn(report: CalibrationReport) -> None:
    pytest.importorskip("matplotlib")
    from maskdet.detector.evaluation.plots import reliability_diagram

    panels = [(name, report.methods[name].confidences) for name in ("none", "temperature")]
    figure = reliability_diagram(panels, report.judged.right, least=0.05)
    assert [axes.get_title() for axes in figure.axes[:2]] == ["none", "temperature"]
    bars = [patch.get_height() for patch in figure.axes[0].patches]
    assert 0 < len(bars) <= 15
    assert max(bars) <= 1


def test_errors_by_class_are_of_the_detections_of_that_class(report: CalibrationReport) -> None:
    method = report.methods["per_class"]
    above = method.confidences > 0.25
    mine = above & (report.judged.class_ids == 1)
    by_hand = expected_calibration_error(method.confidences[mine], report.judged.right[mine])
    assert method.by_class[0.25]["without_mask"].value == pytest.approx(by_hand)
    assert method.by_class[0.25]["mask_weared_incorrect"].value is None
    assert len(method.final.temperature) == 3
    assert report.to_dict()["methods"]["per_class"]["above"]["0.25"]["ece_by_class"]["without_mask"]["low"] is not None
