from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.chain.predictor import FusionRule, class_scores, fuse, shorter_sides
from maskdet.detector.inference.postprocess import Detections

SCORES = np.array([[0.64, 0.01, 0.16]], np.float32)
ANSWER = np.array([[0.25, 0.0, 0.75]], np.float32)
FACE = np.array([30], np.float32)


def test_weight_zero_is_the_detector_and_one_the_classifier() -> None:
    assert fuse(SCORES, ANSWER, FACE, FusionRule(0, 0)).tolist() == SCORES.tolist()
    # 0.64 · (0.25, 0, 0.75)
    assert fuse(SCORES, ANSWER, FACE, FusionRule(1, 0)).round(6).tolist() == [pytest.approx([0.16, 0, 0.48])]


def test_between_them_is_the_geometric_mean() -> None:
    # √(0.64 · 0.16), √(0.01 · 0), √(0.16 · 0.48)
    assert fuse(SCORES, ANSWER, FACE, FusionRule(0.5, 0))[0].tolist() == pytest.approx([0.32, 0, 0.277128], abs=1e-5)


def test_small_faces_keep_the_detectors_answer() -> None:
    both = np.repeat(SCORES, 2, axis=0), np.repeat(ANSWER, 2, axis=0)
    fused = fuse(*both, np.array([15.9, 16], np.float32), FusionRule(1, 16))
    assert fused[0].tolist() == SCORES[0].tolist()
    assert fused[1].argmax() == 2


@given(
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6), max_size=5),
    st.floats(0, 1),
)
def test_scores_stay_within_what_both_said(rows: list[list[float]], weight: float) -> None:
    table = np.array(rows, np.float32).reshape(-1, 6)
    scores, answers = table[:, :3], table[:, 3:] + np.float32(1e-6)
    answers = answers / answers.sum(axis=1, keepdims=True)
    fused = fuse(scores, answers, np.full(len(table), 20, np.float32), FusionRule(weight, 0))
    opinion = scores.max(axis=1, keepdims=True, initial=0) * answers
    low, high = np.minimum(scores, opinion), np.maximum(scores, opinion)
    assert (fused >= low - 1e-6).all() and (fused <= high + 1e-6).all()


def test_a_network_that_names_one_class_gives_the_others_nothing() -> None:
    found = Detections(np.zeros((2, 4), np.float32), np.array([0.9, 0.5], np.float32), np.array([2, 0]))
    assert class_scores(found, 3).tolist() == [pytest.approx([0, 0, 0.9]), [0.5, 0, 0]]


def test_sides() -> None:
    assert shorter_sides(np.array([[1, 2, 11, 7]], np.float32)).tolist() == [5]
    assert shorter_sides(np.zeros((0, 4), np.float32)).tolist() == []


@pytest.mark.parametrize(("weight", "side"), [(-0.1, 0), (1.1, 0), (float("nan"), 0), (0.5, -1), (0.5, float("nan"))])
def test_rules_out_of_range(weight: float, side: float) -> None:
    with pytest.raises(ValueError, match="must"):
        FusionRule(weight, side)
