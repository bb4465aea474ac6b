from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.evaluation.coco import coco_iou, match

HALF = np.array([0.5])


def test_iou_of_boxes_that_share_half() -> None:
    pytest.importorskip("faster_coco_eval")
    found = np.array([[0, 0, 10, 10], [20, 20, 30, 30]], dtype=np.float32)
    true = np.array([[0, 0, 10, 20], [0, 5, 10, 15]], dtype=np.float64)
    assert coco_iou(found, true).tolist() == [[0.5, pytest.approx(1 / 3)], [0.0, 0.0]]


@pytest.mark.parametrize(("found", "true"), [(0, 2), (2, 0), (0, 0)])
def test_nothing_overlaps_nothing(found: int, true: int) -> None:
    iou = coco_iou(np.zeros((found, 4)), np.zeros((true, 4)))
    assert iou.shape == (found, true)
    assert match(iou, HALF).tolist() == [[-1] * found]


def test_a_face_is_found_once_by_the_most_confident() -> None:
    assert match(np.array([[0.6], [0.9], [0.7]]), HALF).tolist() == [[0, -1, -1]]


def test_a_detection_takes_the_face_it_overlaps_most() -> None:
    assert match(np.array([[0.6, 0.8], [0.7, 0.75]]), HALF).tolist() == [[1, 0]]


def test_exactly_at_the_threshold_is_a_match() -> None:
    assert match(np.array([[0.5]]), HALF).tolist() == [[0]]
    assert match(np.array([[1.0]]), np.array([1.0])).tolist() == [[0]]


def test_of_equal_faces_the_last_is_taken() -> None:
    assert match(np.array([[0.8, 0.8], [0.8, 0.8], [0.8, 0.8]]), HALF).tolist() == [[1, 0, -1]]


def test_an_ignored_face_is_the_last_resort() -> None:
    iou, ignored = np.array([[0.6, 0.9], [0.6, 0.9]]), np.array([False, True])
    assert match(iou, HALF, ignored).tolist() == [[0, 1]]


def test_thresholds_do_not_influence_each_other() -> None:
    iou = np.array([[0.6, 0.0], [0.9, 0.0], [0.55, 0.95]])
    assert match(iou, np.array([0.5, 0.75, 0.92])).tolist() == [[0, -1, 1], [-1, 0, 1], [-1, -1, 1]]
