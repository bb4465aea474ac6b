from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from maskdet.detector.export.compare_networks import Agreement, compare_faces, times_faster
from maskdet.detector.inference.runtime import ModelSpec

BATCH = np.zeros((1, 3, 32, 64), np.float32)


class Fixed:
    """A runtime that always gives the same anchors: rows of centre x, centre y, width, height and three scores."""

    spec = ModelSpec("fixed", 64, 32, True, {})

    def __init__(self, *rows: list[float]) -> None:
        self.output = np.array(rows, np.float32).T[None]

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return self.output


def test_faces_are_paired_once_by_overlap() -> None:
    first = Fixed([10, 10, 20, 20, 0.8, 0, 0], [50, 20, 20, 20, 0.6, 0, 0])
    # The same face 4 px to the right, 16 of 24 columns shared, as another class; and one far from all.
    second = Fixed([14, 10, 20, 20, 0, 0.7, 0], [50, 100, 20, 20, 0.9, 0, 0])
    agreement = compare_faces(first, second, [BATCH], conf=0.25, iou=0.7)
    assert (agreement.faces, agreement.found, agreement.same_class, agreement.extra) == (2, 1, 0, 1)
    assert agreement.iou == pytest.approx(16 / 24)
    assert agreement.confidence == pytest.approx(0.1)


def test_nothing_to_pair() -> None:
    none, one = Fixed([10, 10, 20, 20, 0.1, 0, 0]), Fixed([10, 10, 20, 20, 0.9, 0, 0])
    empty = compare_faces(none, none, [BATCH], conf=0.25, iou=0.7)
    assert (empty.faces, empty.found, empty.extra) == (0, 0, 0)
    assert math.isnan(empty.iou) and math.isnan(empty.confidence)
    assert compare_faces(none, one, [BATCH, BATCH], conf=0.25, iou=0.7).extra == 2
    assert isinstance(empty, Agreement)


def test_the_ratio_is_the_median_over_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    # Start, between, end of three pairs: 4 s beside 2 s, 3 s beside 1 s, 100 s beside 1 s.
    clock = iter([0, 4, 6, 10, 13, 14, 20, 120, 121])
    monkeypatch.setattr("maskdet.detector.export.compare_networks.time.perf_counter", lambda: float(next(clock)))
    one = Fixed([10, 10, 20, 20, 0.9, 0, 0])
    assert times_faster(one, one, [BATCH], runs=3) == 3.0
