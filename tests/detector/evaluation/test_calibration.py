from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.calibration import (
    Judged,
    best_threshold,
    calibration_errors,
    fit_calibration,
    fit_per_class,
    judge,
)
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.evaluation.operating_point import operating_point
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.thresholds import Calibration, logit
from maskdet.statistics.calibration_error import expected_calibration_error


def made_up(known: Calibration, count: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """Return scores whose calibration is known, and which of them are right."""
    rng = np.random.default_rng(0)
    scores = 1 / (1 + np.exp(-rng.normal(0, 1.5, count)))
    return scores, rng.random(count) < known.apply(scores)


@pytest.mark.parametrize("known", [Calibration(0.5), Calibration(2.0), Calibration(0.6, 0.4), Calibration(1.3, -1.0)])
def test_a_known_calibration_is_found_again(known: Calibration) -> None:
    scores, right = made_up(known)
    fitted = fit_calibration(scores, right, bias=known.bias != 0)
    assert fitted.temperature == pytest.approx(known.temperature, rel=0.05)
    assert fitted.bias == pytest.approx(known.bias, abs=0.05)
    assert expected_calibration_error(scores, right) > 0.05
    assert expected_calibration_error(fitted.apply(scores), right) < 0.015


def test_the_error_is_of_all_and_of_each_class_with_its_interval() -> None:
    """In each of ten photos a mask at 0.9 and one at 0.2, of which eight and three are right; bare at 0.6: five."""
    class_ids, scores = np.tile([0, 0, 1], 10), np.tile([0.9, 0.2, 0.6], 10)
    right = np.array([[at < 8, at < 3, at < 5] for at in range(10)]).ravel()
    judged = Judged(np.repeat(np.arange(10), 3), class_ids, scores, right)
    weights = np.zeros((2, 10), np.int32)
    weights[0], weights[1, 0] = 1, 10
    errors = calibration_errors(judged, weights)
    assert errors[0.05]["with_mask"].value == pytest.approx((0.1 + 0.1) / 2)
    assert errors[0.25]["with_mask"].value == pytest.approx(0.1)
    assert errors[0.25]["all"].value == pytest.approx((0.1 + 0.1) / 2)
    assert errors[0.25]["mask_weared_incorrect"].value is None
    # The second draw is the first photo alone, where all is right: 1 - 0.9 and 1 - 0.6.
    assert errors[0.25]["all"].high == pytest.approx(0.1 + 0.975 * ((0.1 + 0.4) / 2 - 0.1))


def test_the_fit_is_the_classifiers_temperature() -> None:
    from maskdet.classifier.training.ship import fit_temperature

    scores, right = made_up(Calibration(0.7), 500)
    logits = np.stack([np.zeros(len(scores)), logit(scores)], axis=1)
    assert fit_calibration(scores, right).temperature == pytest.approx(fit_temperature(logits, right.astype(int)))


@given(st.floats(0.05, 20), st.floats(-3, 3), st.floats(0.001, 0.999))
def test_undo_undoes(temperature: float, bias: float, score: float) -> None:
    calibration = Calibration(temperature, bias)
    calibrated = float(calibration.apply(np.array(score)))
    if 1e-6 < calibrated < 1 - 1e-6:
        assert calibration.undo(calibrated) == pytest.approx(score, abs=1e-6)


@given(st.floats(0.2, 5), st.floats(-2, 2), st.lists(st.floats(1e-3, 1 - 1e-3), min_size=2, max_size=20))
def test_the_order_of_scores_stays(temperature: float, bias: float, scores: list[float]) -> None:
    ranked = np.sort(np.array(scores))
    assert (np.diff(Calibration(temperature, bias).apply(ranked)) >= 0).all()


def test_what_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="right and wrong"):
        fit_calibration(np.array([0.5, 0.6]), np.array([True, True]))
    with pytest.raises(ValueError, match="not more often right"):
        fit_calibration(np.array([0.2, 0.3, 0.8, 0.9]), np.array([True, True, True, False]), bias=True)
    with pytest.raises(ValueError, match="above 0"):
        Calibration(0.0)


FACE, OTHER = [0, 0, 40, 40], [100, 0, 140, 40]


def test_judging_by_hand() -> None:
    pytest.importorskip("faster_coco_eval")
    truths = [Truth(np.array([FACE], float), np.array([0])), Truth(np.array([OTHER], float), np.array([1]))]
    found = [
        # The mask twice, the surer one last; a bare face where a mask is.
        Detections(np.float32([FACE, FACE, FACE]), np.float32([0.5, 0.9, 0.6]), np.array([0, 0, 1])),
        Detections(np.float32([OTHER, FACE]), np.float32([0.3, 0.2]), np.array([1, 1])),
    ]
    judged = judge(truths, found)
    rows = zip(judged.photos, judged.class_ids, judged.scores.round(2), judged.right, strict=True)
    assert [tuple(row) for row in rows] == [
        (0, 0, 0.9, True),
        (0, 0, 0.5, False),
        (0, 1, 0.6, False),
        (1, 1, 0.3, True),
        (1, 1, 0.2, False),
    ]
    # Above .25: masks 1 of 2 right, the one found: F1 2/3; bare 1 of 2 right, the one found: 2/3. Above .55 both lose
    # a false alarm, the bare ones their face: 1 and 0. Best for masks alone: between .5 and .9.
    assert best_threshold(judged.scores, judged, [1, 1, 0], [0]) == pytest.approx(0.7)
    assert best_threshold(judged.scores, judged, [1, 1, 0], [0, 1]) == pytest.approx(0.25)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()), max_size=12))
def test_the_best_threshold_is_the_best_of_all(rows: list[tuple[int, float, bool]]) -> None:
    pytest.importorskip("faster_coco_eval")
    # One photo a detection and one face each: right ones lie on it.
    truths = [Truth(np.array([FACE], float), np.array([class_id])) for class_id, _, _ in rows]
    found = [
        Detections(np.float32([FACE if right else OTHER]), np.float32([score]), np.array([class_id]))
        for class_id, score, right in rows
    ]
    classes = sorted({class_id for class_id, _, _ in rows})
    if not classes:
        return
    judged = judge(truths, found)
    faces = np.bincount([class_id for class_id, _, _ in rows], minlength=len(CLASS_NAMES)).tolist()

    def f1(threshold: float) -> float:
        return operating_point(truths, found, conf=threshold).mean("f1") or 0.0

    chosen = best_threshold(judged.scores, judged, faces, classes)
    assert f1(chosen) == pytest.approx(max(f1(threshold) for threshold in (0.0, 0.2, 0.4, 0.6, 0.8)))


def judged_by_class(known: dict[int, Calibration], counts: dict[int, int]) -> Judged:
    parts = [(class_id, *made_up(known[class_id], count)) for class_id, count in counts.items()]
    class_ids = np.concatenate([np.full(len(scores), class_id) for class_id, scores, _ in parts])
    scores, right = (np.concatenate([part[at] for part in parts]) for at in (1, 2))
    return Judged(np.zeros(len(scores), np.int64), class_ids.astype(np.int64), scores, right)


def test_each_class_gets_what_is_its_own() -> None:
    known = {0: Calibration(0.5, 0.5), 1: Calibration(1.2, -1.0), 2: Calibration(0.8, 0.0)}
    fitted = fit_per_class(judged_by_class(known, dict.fromkeys(known, 40_000)))
    assert fitted.temperature == pytest.approx([one.temperature for one in known.values()], rel=0.05)
    assert fitted.bias == pytest.approx([one.bias for one in known.values()], abs=0.06)


def test_a_class_with_few_detections_gets_nearly_what_all_get() -> None:
    known = {0: Calibration(0.5, 0.5), 1: Calibration(0.5, 0.5), 2: Calibration(2.0, -1.5)}
    distances = []
    for rare in (0, 4, 400):
        judged = judged_by_class(known, {0: 20_000, 1: 20_000, 2: rare})
        pooled, fitted = fit_calibration(judged.scores, judged.right, bias=True), fit_per_class(judged)
        distances.append(abs(np.log(fitted.temperature[2] / pooled.temperature)))
    assert distances[0] == pytest.approx(0, abs=1e-12)
    assert distances[0] < distances[1] < distances[2]
    # Where four detections say little, four hundred are believed.
    assert fitted.bias[2] < -1


def test_the_order_within_a_class_stays() -> None:
    calibration, ranked = Calibration((0.3, 2.0), (1.0, -1.0)), np.linspace(0.001, 0.999, 50)
    for class_id in (0, 1):
        assert (np.diff(calibration.apply(ranked, np.full(50, class_id))) > 0).all()
        assert calibration.undo(float(calibration.apply(np.array(0.3), class_id)), class_id) == pytest.approx(0.3)
    with pytest.raises(ValueError, match="one temperature and one bias a class"):
        Calibration((1.0, 1.0), 0.0)
