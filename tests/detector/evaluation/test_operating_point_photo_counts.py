from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.evaluation.operating_point import ROWS, count_photos, operating_point
from maskdet.detector.inference.postprocess import Detections

pytest.importorskip("faster_coco_eval")

SMALL, LARGE = [0, 0, 10, 10], [100, 100, 140, 140]
#: Photo 1: a small and a large mask; photo 2: a bare face.
TRUTHS = [Truth(np.array([SMALL, LARGE], float), np.array([0, 0])), Truth(np.array([LARGE], float), np.array([1]))]


def found(*rows: tuple[list[int], float, int]) -> Detections:
    boxes, confidences, class_ids = zip(*rows, strict=True)
    return Detections(np.array(boxes, np.float32), np.array(confidences, np.float32), np.array(class_ids))


#: The large mask twice, the small one not; the bare face taken for a mask; one bare face where none is, unsure.
FOUND = [found((LARGE, 0.9, 0), (LARGE, 0.8, 0), (SMALL, 0.2, 0)), found((LARGE, 0.7, 0), (SMALL, 0.3, 1))]


def test_figures_by_hand() -> None:
    counts = count_photos(TRUTHS, FOUND, conf=0.25)
    assert counts.faces[:, :, 0].tolist() == [[2, 0, 0], [0, 1, 0]]
    assert counts.right[:, 0].tolist() == [[1, 0, 0, 1], [0, 0, 0, 0]]
    assert counts.reported.tolist() == [[2, 0, 0], [1, 1, 0]]
    figures = counts.figures(np.ones((1, 2), np.int32))
    # Masks: 1 of 3 right, 1 of 2 found. Bare: 0 of 1 right, 0 of 1 found. All: 1 of 4, 1 of 3.
    assert dict(zip(ROWS, figures["precision"][0].tolist(), strict=True)) == pytest.approx(
        {"with_mask": 1 / 3, "without_mask": 0, "mask_weared_incorrect": np.nan, "mean": 1 / 6, "all": 1 / 4},
        nan_ok=True,
    )
    assert figures["f1"][0].tolist() == pytest.approx([2 / 5, 0, np.nan, 1 / 5, 2 / 7], nan_ok=True)
    assert figures["recall"][0, :, 0].tolist() == pytest.approx([1 / 2, 0, np.nan, 1 / 4, 1 / 3], nan_ok=True)
    assert figures["recall"][0, 0].tolist() == pytest.approx([1 / 2, 0, np.nan, 1], nan_ok=True)


def test_a_draw_counts_a_photo_as_often_as_it_was_drawn() -> None:
    figures = count_photos(TRUTHS, FOUND, conf=0.25).figures(np.array([[2, 0], [0, 1]], np.int32))
    assert figures["precision"][:, 0].tolist() == [0.5, 0.0]
    assert figures["recall"][0, 0, 0] == 0.5
    assert np.isnan(figures["recall"][1, 0, 0])  # the second photo has no mask
    assert figures["precision"][1, 3] == 0.0  # nor does that class count in the mean


def test_it_counts_as_the_operating_point_does() -> None:
    point = operating_point(TRUTHS, FOUND, conf=0.25)
    figures = count_photos(TRUTHS, FOUND, conf=0.25).figures(np.ones((1, 2), np.int32))
    for row in (0, 1):
        assert figures["precision"][0, row] == point.classes[row].precision
        assert figures["recall"][0, row, 0] == point.classes[row].recall
        assert figures["f1"][0, row] == point.classes[row].f1
    assert [figures[name][0, 3] for name in ("precision", "f1")] == [point.mean("precision"), point.mean("f1")]
