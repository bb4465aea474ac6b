from __future__ import annotations

import numpy as np
import pytest

from maskdet.chain.evaluation.answers import PhotoAnswers, every_class, match_faces
from maskdet.chain.evaluation.fusion_grid import Cell, score_grid
from maskdet.chain.fusion import FusionRule
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.postprocess import Detections

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


def answers_of(
    boxes: list[list[float]], scores: list[list[float]], on_boxes: list[list[float]], faces: int = 0
) -> PhotoAnswers:
    """Return a photo's answers; the classifier gives each labelled face a third a class."""
    return PhotoAnswers(
        NOTHING,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32).reshape(-1, 3),
        np.array(on_boxes, np.float32).reshape(-1, 3),
        np.full((faces, 3), 1 / 3, np.float32),
    )


def truth_of(*faces: tuple[int, list[float]]) -> Truth:
    boxes = np.array([box for _, box in faces], dtype=np.float64).reshape(-1, 4)
    return Truth(boxes, np.array([class_id for class_id, _ in faces], dtype=np.int64))


#: A large and a small face, both labelled 1. The detector says 0 of both, the classifier 1.
TRUTH = truth_of((1, [0, 0, 40, 40]), (1, [100, 0, 110, 10]))
WRONG = answers_of(
    [[0, 0, 40, 40], [100, 0, 110, 10]], [[0.9, 0.1, 0], [0.8, 0.1, 0]], [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]], 2
)


def test_every_class_above_the_threshold_stands_for_itself() -> None:
    boxes = np.array([[0, 0, 1, 1], [5, 5, 9, 9]], np.float32)
    found = every_class(boxes, np.array([[0.5, 0.25, 0.001], [0.0, 0.125, 0.75]], np.float32), 0.001)
    assert found.confidences.tolist() == [0.75, 0.5, 0.25, 0.125]
    assert found.class_ids.tolist() == [2, 0, 1, 1]
    assert found.boxes[:, 0].tolist() == [5, 0, 0, 5]
    assert len(every_class(np.zeros((0, 4), np.float32), np.zeros((0, 3), np.float32), 0.001).boxes) == 0


def test_faces_are_matched_whatever_their_class_the_surest_box_first() -> None:
    pytest.importorskip("faster_coco_eval")
    truth = truth_of((2, [0, 0, 20, 20]), (0, [50, 0, 70, 20]), (1, [90, 0, 99, 9]))
    answers = answers_of(
        [[0, 0, 20, 20], [50, 0, 70, 20], [0, 0, 20, 18], [200, 0, 220, 20], [90, 0, 99, 9]],
        [[0.9, 0, 0], [0, 0.7, 0], [0, 0, 0.6], [0.5, 0, 0], [0, 0.25, 0]],
        [[1, 0, 0]] * 5,
        3,
    )
    empty = answers_of([], [], [])
    matched = match_faces([truth_of(), truth], [empty, answers], conf=0.25)
    # The third box comes second to its face, the fourth stands nowhere, the last is not above 0.25.
    assert matched.photos.tolist() == [1, 1]
    assert matched.found.tolist() == [0, 1]
    assert matched.faces.tolist() == [0, 1]
    assert matched.labels.tolist() == [2, 0]
    assert matched.of_boxes([np.zeros((0, 3)), answers.scores]).argmax(axis=1).tolist() == [0, 1]
    assert matched.of_faces([np.zeros((0,)), np.array([7, 8, 9])]).tolist() == [7, 8]
    nobody = match_faces([truth_of()], [empty], conf=0.25)
    assert (len(nobody.labels), nobody.of_boxes([empty.scores]).shape) == (0, (0, 3))


def cells_by_rule(weights: list[float], sides: list[float]) -> dict[FusionRule, Cell]:
    return {cell.rule: cell for cell in score_grid([TRUTH], [WRONG], weights, sides)}


def test_the_grid_knows_what_each_rule_changes() -> None:
    pytest.importorskip("faster_coco_eval")
    cells = cells_by_rule([0.0, 1.0], [0.0, 16.0])
    # Weight 0 is the same whatever the side, and scored once.
    assert list(cells) == [FusionRule(0, 0), FusionRule(1, 0), FusionRule(1, 16)]
    assert [cell.accuracy for cell in cells.values()] == [0, 1, 0.5]
    # Every box also stands for class 1 with 0.1: found, though both are taken for class 0.
    assert cells[FusionRule(0, 0)].ap50 == (None, 1, None)
    assert cells[FusionRule(0, 0)].map50 == 1
    assert (cells[FusionRule(1, 0)].map50, cells[FusionRule(1, 0)].map50_95) == (1, 1)


def test_rare_classes_count_as_much_in_macro_recall() -> None:
    pytest.importorskip("faster_coco_eval")
    truth = truth_of(*((0, [x, 0, x + 20, 20]) for x in (0, 40, 80)), (2, [120, 0, 140, 20]))
    answers = answers_of(truth.boxes.tolist(), [[0.9, 0, 0]] * 4, [[1, 0, 0]] * 4, 4)
    (cell,) = score_grid([truth], [answers], [0.5], [0.0])
    assert (cell.accuracy, cell.macro_recall) == (0.75, 0.5)


def test_a_grid_without_a_found_face() -> None:
    pytest.importorskip("faster_coco_eval")
    (cell,) = score_grid([TRUTH], [answers_of([], [], [], 2)], [0.5], [0.0])
    assert (cell.map50, cell.accuracy, cell.macro_recall) == (0, None, None)
    assert cell.to_dict() == {
        "weight": 0.5, "least_side": 0.0, "ap50_with_mask": None, "ap50_without_mask": 0.0,
        "ap50_mask_weared_incorrect": None, "map50": 0.0, "map50_95": 0.0, "accuracy": None, "macro_recall": None,
    }  # fmt: skip
