from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.detector.inference.letterbox import Letterbox
from maskdet.detector.inference.postprocess import Detections, box_iou, non_maximum_suppression, select, to_picture

SEEDS = st.integers(0, 2**32 - 1)


def random_boxes(rng: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
    corner = rng.uniform(0, 60, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(1, 40, (count, 2))], axis=1).astype(np.float32)


def random_output(rng: np.random.Generator, anchors: int = 80) -> npt.NDArray[np.float32]:
    centre = rng.uniform(0, 60, (2, anchors))
    sides = rng.uniform(1, 40, (2, anchors))
    return np.concatenate([centre, sides, rng.uniform(0, 1, (3, anchors))]).astype(np.float32)


def test_iou_by_hand() -> None:
    boxes = np.array([[0, 0, 4, 4], [2, 2, 6, 6], [10, 10, 12, 12]], np.float32)
    # The first two share 2x2 of 16 + 16 - 4.
    np.testing.assert_allclose(box_iou(boxes, boxes)[0], [1, 4 / 28, 0], rtol=1e-6)


def test_iou_of_empty_boxes_is_zero() -> None:
    point = np.array([[3, 3, 3, 3]], np.float32)
    assert box_iou(point, point)[0, 0] == 0


@given(SEEDS)
def test_iou_equals_torchvision(seed: int) -> None:
    ops, torch = pytest.importorskip("torchvision.ops"), pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    first, second = random_boxes(rng, 7), random_boxes(rng, 5)
    expected = ops.box_iou(torch.from_numpy(first), torch.from_numpy(second)).numpy()
    np.testing.assert_allclose(box_iou(first, second), expected, rtol=1e-5, atol=1e-6)


def test_nms_by_hand() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]], np.float32)
    confidences = np.array([0.6, 0.9, 0.5], np.float32)
    # The first two overlap by 90 / 110 = .818.
    assert non_maximum_suppression(boxes, confidences, 0.8).tolist() == [1, 2]
    assert non_maximum_suppression(boxes, confidences, 0.82).tolist() == [1, 0, 2]


@given(SEEDS, st.floats(0.1, 0.9))
def test_nms_equals_torchvision(seed: int, iou: float) -> None:
    ops, torch = pytest.importorskip("torchvision.ops"), pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    boxes, confidences = random_boxes(rng, 40), rng.permutation(40).astype(np.float32) / 40
    expected = ops.nms(torch.from_numpy(boxes), torch.from_numpy(confidences), iou).tolist()
    assert non_maximum_suppression(boxes, confidences, iou).tolist() == expected


@given(SEEDS, st.booleans(), st.booleans())
def test_select_equals_ultralytics(seed: int, agnostic: bool, multi_label: bool) -> None:
    nms, torch = pytest.importorskip("ultralytics.utils.nms"), pytest.importorskip("torch")
    output = random_output(np.random.default_rng(seed))
    expected = nms.non_max_suppression(
        torch.from_numpy(output[None].copy()), 0.3, 0.6, agnostic=agnostic, multi_label=multi_label, max_det=300
    )[0].numpy()
    found = select(output, conf=0.3, iou=0.6, agnostic=agnostic, multi_label=multi_label)
    order, expected_order = np.lexsort(found.boxes.T), np.lexsort(expected[:, :4].T)
    np.testing.assert_allclose(found.boxes[order], expected[expected_order, :4], atol=1e-3)
    np.testing.assert_allclose(np.sort(found.confidences), np.sort(expected[:, 4]), atol=1e-6)
    np.testing.assert_array_equal(np.sort(found.class_ids), np.sort(expected[:, 5]).astype(int))


def test_confidence_must_exceed_the_threshold() -> None:
    output = np.array([[5, 5], [5, 5], [4, 4], [4, 4], [0.25, 0.26], [0, 0], [0, 0]], np.float32)
    output[0, 1] = 50
    found = select(output, conf=0.25, iou=0.5)
    np.testing.assert_allclose(found.confidences, [0.26], rtol=1e-6)
    np.testing.assert_allclose(found.boxes, [[48, 3, 52, 7]])


def test_best_class_only_unless_multi_label() -> None:
    output = np.array([[5], [5], [4], [4], [0.9], [0.4], [0.1]], np.float32)
    assert select(output, conf=0.3, iou=0.5).class_ids.tolist() == [0]
    assert select(output, conf=0.3, iou=0.5, multi_label=True).class_ids.tolist() == [0, 1]
    assert select(output, conf=0.3, iou=0.5, multi_label=True, agnostic=True).class_ids.tolist() == [0]


def test_end_to_end_rows_are_only_filtered() -> None:
    rows = np.array([[0, 0, 9, 9, 0.9, 2], [0, 0, 9, 9, 0.8, 2], [1, 1, 3, 3, 0.1, 0]], np.float32)
    found = select(rows, conf=0.25, iou=0.5)
    assert found.class_ids.tolist() == [2, 2]


def test_nothing_found() -> None:
    found = select(np.zeros((7, 10), np.float32), conf=0.25, iou=0.5)
    assert found.boxes.shape == (0, 4)


def test_boxes_in_the_border_are_dropped() -> None:
    letterbox = Letterbox.fit((100, 200), 64, auto=False)  # 32 rows of picture, 16 of border above and below
    found = Detections(
        np.array([[0, 0, 10, 10], [0, 10, 10, 20]], np.float32), np.array([0.9, 0.8], np.float32), np.array([0, 1])
    )
    kept = to_picture(found, letterbox)
    assert kept.class_ids.tolist() == [1]
    np.testing.assert_allclose(kept.boxes, [[0, 0, 31.25, 12.5]])


def test_a_suppressed_box_leaves_its_scores_behind() -> None:
    # Three anchors on one face and one elsewhere: cx, cy, w, h, then a score a class.
    output = np.array(
        [
            [50, 50, 20, 20, 0.9, 0.1, 0.0],
            [50, 51, 20, 20, 0.2, 0.0, 0.6],
            [50, 49, 20, 20, 0.3, 0.4, 0.1],
            [90, 50, 20, 20, 0.0, 0.5, 0.2],
        ],
        np.float32,
    ).T
    found = select(output, conf=0.25, iou=0.7, agnostic=True)
    assert found.class_ids.tolist() == [0, 1]
    assert found.confidences.tolist() == pytest.approx([0.9, 0.5])
    assert found.scores is not None
    assert found.scores.tolist() == [pytest.approx([0.9, 0.4, 0.6]), pytest.approx([0.0, 0.5, 0.2])]
    # Class by class nothing is suppressed across classes, and every box keeps its own scores.
    apart = select(output, conf=0.25, iou=0.7)
    assert apart.scores is not None
    assert apart.scores[0].tolist() == pytest.approx([0.9, 0.1, 0.0])


@given(SEEDS, st.floats(0.25, 0.95))
def test_what_is_said_of_a_face_does_not_depend_on_the_threshold(seed: int, conf: float) -> None:
    output = random_output(np.random.default_rng(seed))
    usual, asked = (select(output, conf=one, iou=0.5, agnostic=True) for one in (0.25, conf))
    expected = usual.take(usual.confidences > conf)
    assert usual.scores is not None and asked.scores is not None and expected.scores is not None
    for one, two in zip(asked, expected, strict=True):
        np.testing.assert_array_equal(one, two)
