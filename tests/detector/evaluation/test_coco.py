from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.detector.evaluation.average_precision import match_tables, weighted_ap
from maskdet.detector.evaluation.coco import SIZES, coco_dicts, coco_scores, set_parameters
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.postprocess import Detections

pytest.importorskip("faster_coco_eval")

Row = Sequence[float]


def truth(*rows: Row) -> Truth:
    """Return a photo's labels from rows of class, x1, y1, x2, y2."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return Truth(table[:, 1:], table[:, 0].astype(np.int64))


def found(*rows: Row) -> Detections:
    """Return a photo's detections from rows of class, confidence, x1, y1, x2, y2."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return Detections(table[:, 2:].astype(np.float32), table[:, 1].astype(np.float32), table[:, 0].astype(np.int64))


def random_split(seed: int, photos: int) -> tuple[list[Truth], list[Detections]]:
    """Return labels and answers with equal confidences, repeated boxes and sides exactly on the size borders."""
    rng = np.random.default_rng(seed)
    truths, answers = [], []
    for _ in range(photos):
        count = int(rng.integers(0, 7))
        corner = rng.integers(0, 60, (count, 2)).astype(float)
        boxes = np.concatenate([corner, corner + rng.choice([8, 16, 20, 32, 40], (count, 1))], axis=1)
        classes = rng.integers(0, 3, count)
        truths.append(Truth(boxes, classes))
        picked = rng.integers(0, count, int(rng.integers(0, 12))) if count else np.zeros(0, dtype=np.int64)
        moved = boxes[picked] + rng.integers(-3, 4, (len(picked), 4))
        other = rng.random(len(picked)) < 0.2
        answers.append(
            Detections(
                moved.astype(np.float32),
                (rng.integers(1, 9, len(picked)) / 8).astype(np.float32),
                np.where(other, rng.integers(0, 3, len(picked)), classes[picked]).astype(np.int64),
            )
        )
    return truths, answers


def pycocotools_scores(truths: list[Truth], answers: list[Detections]) -> tuple[Any, Any]:
    """Return pycocotools' precision and recall for the same question."""
    coco, cocoeval = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    sides = []
    for dataset in coco_dicts(truths, answers):
        side = coco.COCO()
        side.dataset = dataset
        side.createIndex()
        sides.append(side)
    evaluation = cocoeval.COCOeval(*sides, iouType="bbox")
    set_parameters(evaluation.params)
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation.eval["precision"][..., -1], evaluation.eval["recall"][..., -1]


def test_one_right_and_one_wrong_by_hand() -> None:
    """Faces A, B; answers by confidence: A right, nothing there, B right.

    Precision is 1 at recall 0.5 and 2/3 at recall 1: 51 of the 101 recalls are read at 1, 50 at 2/3.
    """
    truths = [truth((0, 0, 0, 10, 10), (0, 50, 50, 60, 60))]
    answers = [found((0, 0.9, 0, 0, 10, 10), (0, 0.8, 80, 80, 90, 90), (0, 0.7, 50, 50, 60, 60))]
    scores = coco_scores(truths, answers)
    assert scores.ap[:, 0, 0] == pytest.approx(np.full(10, (51 + 50 * 2 / 3) / 101))
    assert scores.recall[0, 0, 0] == 1
    assert np.isnan(scores.ap[:, 1:, 0]).all()
    assert scores.curves[0, [0, 50, 51, 100]] == pytest.approx([1, 1, 2 / 3, 2 / 3])
    assert np.isnan(scores.curves[1:]).all()


def test_a_loose_box_counts_up_to_its_overlap() -> None:
    """IoU 0.8: right at .5, .55 … .8, which are 7 of the 10 thresholds."""
    scores = coco_scores([truth((1, 0, 0, 10, 10))], [found((1, 0.9, 0, 0, 10, 8))])
    assert scores.ap[:, 1, 0].tolist() == [1, 1, 1, 1, 1, 1, 1, 0, 0, 0]


def test_sizes_are_sides_in_pixels_and_a_border_counts_in_both() -> None:
    truths = [truth((0, 0, 0, 8, 16), (0, 30, 0, 46, 16), (0, 100, 0, 140, 40))]
    answers = [found((0, 0.9, 30, 0, 46, 16))]
    assert list(SIZES) == ["all", "<16 px", "16-32 px", ">32 px"]
    # One of three, one of two (8 × 16 and 16 × 16), the only one, none; recalls 0 to 1/3 are 34 of 101.
    assert coco_scores(truths, answers).ap[0, 0].tolist() == pytest.approx([34 / 101, 51 / 101, 1, 0])


def test_three_hundred_boxes_of_a_photo_count() -> None:
    """COCO's own limit of 100 would leave out the last box, which is the right one."""
    wrong = [(0, 0.9, 500 + index, 500, 510 + index, 510) for index in range(299)]
    scores = coco_scores([truth((0, 0, 0, 10, 10))], [found(*wrong, (0, 0.5, 0, 0, 10, 10))])
    assert scores.ap[0, 0, 0] == pytest.approx(1 / 300)


def test_no_detection_scores_zero_and_no_face_scores_nothing() -> None:
    scores = coco_scores([truth((0, 0, 0, 10, 10))], [found()])
    assert scores.ap[:, 0, 0].tolist() == [0] * 10
    assert np.isnan(scores.ap[:, 1:]).all()


def test_every_photo_needs_an_answer() -> None:
    with pytest.raises(ValueError, match="zip"):
        coco_scores([truth(), truth()], [found()])


@given(seed=st.integers(0, 2**32 - 1), photos=st.integers(1, 8))
def test_same_as_pycocotools(seed: int, photos: int) -> None:
    truths, answers = random_split(seed, photos)
    precision, recall = pycocotools_scores(truths, answers)
    scores = coco_scores(truths, answers)
    assert np.allclose(scores.precision, precision, atol=1e-6)
    assert np.allclose(scores.recall, recall, atol=1e-6)


def test_same_as_pycocotools_on_the_real_boxes(real_data: Path) -> None:
    """All labels of the public data set, with answers made by moving, dropping and renaming them."""
    names = ("with_mask", "without_mask", "mask_weared_incorrect")
    rng = np.random.default_rng(0)
    truths, answers = [], []
    for file in sorted((real_data / "annotations").glob("*.xml")):
        rows = [
            [names.index(str(face.findtext("name")))]
            + [float(str(face.findtext(f"bndbox/{corner}"))) for corner in ("xmin", "ymin", "xmax", "ymax")]
            for face in ET.parse(file).getroot().iter("object")
        ]
        labels = truth(*rows)
        truths.append(labels)
        side = (labels.boxes[:, 2:] - labels.boxes[:, :2]).repeat(2, axis=1)
        moved = labels.boxes + rng.normal(0, 0.08, side.shape) * side
        confidences = rng.random(len(moved))
        renamed = np.where(rng.random(len(moved)) < 0.1, rng.integers(0, 3, len(moved)), labels.class_ids)
        kept = rng.random(len(moved)) < 0.9
        answers.append(Detections(moved[kept].astype(np.float32), confidences[kept].astype(np.float32), renamed[kept]))
    assert len(truths) > 800
    precision, _ = pycocotools_scores(truths, answers)
    scores = coco_scores(truths, answers)
    assert np.allclose(scores.precision, precision, atol=1e-6)
    once = np.ones((1, len(truths)), dtype=np.int32)
    own = [[weighted_ap(table, once)[0] for table in sizes] for sizes in match_tables(truths, answers)]
    assert np.allclose(np.array(own).transpose(2, 0, 1), scores.ap, atol=1e-6)
