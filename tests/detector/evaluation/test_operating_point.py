from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.evaluation.operating_point import ClassPoint, operating_point
from maskdet.detector.inference.postprocess import Detections

pytest.importorskip("faster_coco_eval")

LEFT, MIDDLE, RIGHT = [0, 0, 20, 20], [40, 0, 60, 20], [80, 0, 100, 20]


def truth(*faces: tuple[int, list[int]]) -> Truth:
    boxes = np.array([box for _, box in faces], dtype=np.float64).reshape(-1, 4)
    return Truth(boxes, np.array([class_id for class_id, _ in faces], dtype=np.int64))


def found(*faces: tuple[int, float, list[int]]) -> Detections:
    return Detections(
        np.array([box for _, _, box in faces], dtype=np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in faces], dtype=np.float32),
        np.array([class_id for class_id, _, _ in faces], dtype=np.int64),
    )


def test_right_wrong_and_missed_by_hand() -> None:
    truths = [truth((0, LEFT), (0, MIDDLE), (1, RIGHT)), truth((0, LEFT))]
    answers = [found((0, 0.9, LEFT), (0, 0.3, RIGHT), (1, 0.2, RIGHT)), found((0, 0.8, LEFT), (2, 0.6, MIDDLE))]
    point = operating_point(truths, answers, conf=0.25)
    assert point.classes == (ClassPoint(2, 1, 1), ClassPoint(0, 0, 1), ClassPoint(0, 1, 0))
    assert point.confusion.tolist() == [
        [2, 0, 0, 1],  # MIDDLE is missed
        [1, 0, 0, 0],  # RIGHT is taken for with_mask
        [0, 0, 0, 0],
        [0, 0, 1, 0],  # a box where no face is
    ]
    first, second, third = point.classes
    assert (first.precision, first.recall, first.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (second.precision, second.recall, second.f1) == (0, 0, 0)
    assert (third.precision, third.recall, third.f1) == (0, None, 0)
    # The third class is not labelled and stays out of the mean.
    assert point.mean("precision") == pytest.approx(1 / 3)
    assert point.mean("recall") == pytest.approx(1 / 3)


def test_the_threshold_itself_is_left_out() -> None:
    at, above = found((0, 0.25, LEFT)), found((0, 0.2501, LEFT))
    assert operating_point([truth((0, LEFT))], [at], conf=0.25).classes[0] == ClassPoint(0, 0, 1)
    assert operating_point([truth((0, LEFT))], [above], conf=0.25).classes[0] == ClassPoint(1, 0, 0)


def test_the_most_confident_gets_the_face_and_the_second_is_background() -> None:
    answers = [found((1, 0.6, LEFT), (0, 0.9, LEFT))]
    point = operating_point([truth((1, LEFT))], answers, conf=0.25)
    assert point.confusion[1].tolist() == [1, 0, 0, 0]
    assert point.confusion[3].tolist() == [0, 1, 0, 0]
    # By class the second is right all the same.
    assert point.classes[1] == ClassPoint(1, 0, 0)


def test_without_faces_and_without_answers_nothing_is_known() -> None:
    point = operating_point([truth()], [found()], conf=0.25)
    assert [point.mean(figure) for figure in ("precision", "recall", "f1")] == [None, None, None]
    assert point.classes[0].precision is None
    assert point.classes[0].f1 is None
    assert not point.confusion.any()


def test_every_face_is_in_one_row_and_every_answer_in_one_column() -> None:
    rng = np.random.default_rng(0)
    truths, answers = [], []
    for _ in range(20):
        corner = rng.integers(0, 80, (6, 2))
        boxes = np.concatenate([corner, corner + 20], axis=1)
        truths.append(Truth(boxes[:4].astype(float), rng.integers(0, 3, 4)))
        shifted = boxes + rng.integers(-4, 5, boxes.shape)
        answers.append(Detections(shifted.astype(np.float32), rng.random(6).astype(np.float32), rng.integers(0, 3, 6)))
    confusion = operating_point(truths, answers, conf=0.5).confusion
    assert confusion[:3].sum() == 80
    assert confusion[:, :3].sum() == sum(int((answer.confidences > 0.5).sum()) for answer in answers)
