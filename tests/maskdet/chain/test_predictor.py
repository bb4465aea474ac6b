from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.chain.predictor import ChainPredictor, FusionRule, class_scores, fuse, shorter_sides, undecided
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections
from maskdet.results import ImageInfo

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


#: Of a probability below a quarter a quarter counts: with half of the weight, a rival up to a quarter of the best score
#: cannot overtake it.
BOUNDED = FusionRule(0.5, 0, 0.25)


def test_a_sure_face_keeps_the_detectors_answer_and_an_unsure_one_does_not() -> None:
    scores = np.array([[0.8, 0.1, 0.0], [0.8, 0.4, 0.0]], np.float32)
    answers = np.array([[0.0, 1.0, 0.0]] * 2, np.float32)
    assert undecided(scores, np.full(2, 30, np.float32), BOUNDED).tolist() == [False, True]
    fused = fuse(scores, answers, np.full(2, 30, np.float32), BOUNDED)
    assert fused[0].tolist() == scores[0].tolist()
    # √(0.8 · 0.8 · ¼), √(0.4 · 0.8 · 1), √(0 · …)
    assert fused[1].tolist() == pytest.approx([0.4, 0.565685, 0.0], abs=1e-5)


@given(
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6), max_size=8),
    st.floats(0.05, 0.95),
    st.floats(0, 0.9),
)
def test_the_classifier_is_asked_wherever_it_could_change_the_class(
    rows: list[list[float]], weight: float, floor: float
) -> None:
    """Whatever it says: where it is not asked, fusing all the same gives the same class."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    scores, answers = table[:, :3], table[:, 3:] + 1e-6
    answers = answers / answers.sum(axis=1, keepdims=True)
    rule = FusionRule(weight, 0, floor)
    closed = ~undecided(scores.astype(np.float32), np.full(len(table), 20, np.float32), rule)
    best = scores.max(axis=1, keepdims=True, initial=0)
    fused = scores ** (1 - weight) * (best * np.maximum(answers, floor)) ** weight
    top = np.take_along_axis(fused, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert (top[closed] >= fused.max(axis=1, initial=0)[closed] * (1 - 1e-5)).all()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tiny_classifier: Path) -> tuple[MaskClassifier, list[int]]:
    """Return the classifier that goes by colour, and the numbers of faces that it is asked about."""
    classifier = MaskClassifier(tiny_classifier)
    asked: list[int] = []
    usual = classifier.classify_boxes

    def classify(image: npt.NDArray[np.uint8], boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        asked.append(len(boxes))
        return usual(image, boxes)

    monkeypatch.setattr(classifier, "classify_boxes", classify)
    return classifier, asked


#: One face of which the detector is sure, and one where it leans to a mask.
TWO_FACES = [[12, 16, 16, 16, 0.9, 0.001, 0.0], [48, 16, 16, 16, 0.6, 0.5, 0.0]]
GREEN = np.zeros((32, 64, 3), np.uint8) + np.array([0, 255, 0], np.uint8)


def chain_note(classifier: str, *limits: float) -> dict[str, str]:
    chain = {"classifier": classifier, "conf": dict(zip(CLASS_NAMES, limits, strict=True))}
    return {"maskdet_calibration": json.dumps({"chain": chain})}


def test_only_undecided_faces_are_asked_about(
    write_constant: Callable[..., Path], tmp_path: Path, counted: tuple[MaskClassifier, list[int]]
) -> None:
    classifier, asked = counted
    detector = MaskDetector(write_constant(tmp_path / "two.onnx", TWO_FACES))
    (result,) = ChainPredictor(detector, classifier).predict_batch([GREEN], [ImageInfo(None, 64, 32)])
    assert asked == [1]
    assert [(face.name, face.classifier is None) for face in result.faces] == [
        ("with_mask", True),
        ("without_mask", False),
    ]
    assert result.faces[0].confidence == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("conf", "noted", "names"),
    [
        (None, ("tiny", 0.95, 0.2, 0.2), ["without_mask"]),  # each class is held to its own
        (None, ("tiny", 0.2, 0.6, 0.2), ["with_mask"]),  # 0.5 ^ 0.3 · 0.6 ^ 0.7 = 0.57
        (None, ("another", 0.95, 0.95, 0.95), ["with_mask", "without_mask"]),  # chosen with another classifier
        (0.7, ("tiny", 0.2, 0.2, 0.2), ["with_mask"]),  # a number holds instead
        (0.58, ("tiny", 0.2, 0.2, 0.2), ["with_mask"]),  # the detector's 0.6 exceeds it, the fused 0.57 does not
        (0.55, ("tiny", 0.95, 0.95, 0.95), ["with_mask", "without_mask"]),
    ],
)
def test_a_files_own_thresholds_of_this_chain(
    write_constant: Callable[..., Path],
    tmp_path: Path,
    tiny_classifier: Path,
    conf: float | None,
    noted: tuple[str, float, float, float],
    names: list[str],
) -> None:
    detector = MaskDetector(write_constant(tmp_path / "two.onnx", TWO_FACES, chain_note(*noted)), conf=conf)
    chain = ChainPredictor(detector, MaskClassifier(tiny_classifier))
    (result,) = chain.predict_batch([GREEN], [ImageInfo(None, 64, 32)])
    assert [face.name for face in result.faces] == names
