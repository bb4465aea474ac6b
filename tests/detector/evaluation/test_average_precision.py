from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.detector.evaluation.average_precision import match_tables, resampled_ap, weighted_ap
from maskdet.detector.evaluation.coco import coco_scores
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.postprocess import Detections
from maskdet.statistics.figures import interval

pytest.importorskip("faster_coco_eval")


def random_split(seed: int, photos: int, *, ties: bool = True) -> tuple[list[Truth], list[Detections]]:
    """Return labels on a coarse grid and answers near them, with equal confidences if ``ties``."""
    rng = np.random.default_rng(seed)
    truths, answers = [], []
    for _ in range(photos):
        count = int(rng.integers(0, 6))
        corner = rng.integers(0, 50, (count, 2)).astype(float)
        boxes = np.concatenate([corner, corner + rng.choice([10, 16, 24, 32, 48], (count, 1))], axis=1)
        classes = rng.integers(0, 3, count)
        picked = rng.integers(0, count, 8) if count else np.zeros(0, dtype=np.int64)
        confidences = rng.integers(1, 6, len(picked)) / 5 if ties else rng.random(len(picked))
        truths.append(Truth(boxes, classes))
        answers.append(
            Detections(
                (boxes[picked] + rng.integers(-3, 4, (len(picked), 4))).astype(np.float32),
                confidences.astype(np.float32),
                classes[picked].astype(np.int64),
            )
        )
    return truths, answers


def all_ap(truths: list[Truth], answers: list[Detections], weights: list[int]) -> npt.NDArray[np.float64]:
    """Return (10, 3, 4) AP with each photo counted ``weights`` times."""
    row = np.array([weights], dtype=np.int32)
    computed = [[weighted_ap(table, row)[0] for table in sizes] for sizes in match_tables(truths, answers)]
    return np.array(computed).transpose(2, 0, 1)


@given(seed=st.integers(0, 2**32 - 1), photos=st.integers(1, 8))
def test_each_photo_once_is_cocos_figure(seed: int, photos: int) -> None:
    truths, answers = random_split(seed, photos)
    assert np.allclose(
        all_ap(truths, answers, [1] * photos), coco_scores(truths, answers).ap, atol=1e-6, equal_nan=True
    )


@given(seed=st.integers(0, 2**32 - 1), weights=st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_a_photo_that_counts_twice_is_a_photo_given_twice(seed: int, weights: list[int]) -> None:
    truths, answers = random_split(seed, len(weights), ties=False)
    copies = [photo for photo, times in enumerate(weights) for _ in range(times)]
    if not copies:
        assert np.isnan(all_ap(truths, answers, weights)).all()
        return
    repeated = coco_scores([truths[photo] for photo in copies], [answers[photo] for photo in copies])
    assert np.allclose(all_ap(truths, answers, weights), repeated.ap, atol=1e-6, equal_nan=True)


def test_draws_computed_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = match_tables(*random_split(3, 6))
    whole = resampled_ap(tables, resamples=20, seed=1)
    monkeypatch.setattr("maskdet.detector.evaluation.average_precision._CELLS", 1)
    assert np.array_equal(resampled_ap(tables, resamples=20, seed=1), whole, equal_nan=True)


def test_the_seed_decides_the_draws() -> None:
    tables = match_tables(*random_split(3, 6))
    first, again, other = (resampled_ap(tables, resamples=10, seed=seed) for seed in (5, 5, 6))
    assert first.shape == (10, 10, 3, 4)
    assert np.array_equal(first, again, equal_nan=True)
    assert not np.array_equal(first, other, equal_nan=True)


def test_two_photos_give_the_three_possible_draws() -> None:
    """One photo is answered perfectly, the other not at all: AP is 1, 0, or 51/101 where each is drawn once."""
    face = Truth(np.array([[0.0, 0.0, 20.0, 20.0]]), np.array([0]))
    right = Detections(face.boxes.astype(np.float32), np.array([0.9], np.float32), np.array([0]))
    none = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
    drawn = resampled_ap(match_tables([face, face], [right, none]), resamples=400, seed=0)[:, 0, 0, 0]
    values, counts = np.unique(drawn.round(6), return_counts=True)
    assert values.tolist() == [0, round(51 / 101, 6), 1]
    assert counts / 400 == pytest.approx([0.25, 0.5, 0.25], abs=0.08)


def test_interval_leaves_unknown_draws_out() -> None:
    assert interval(np.array([np.nan, 0.25, np.nan])) == (0.25, 0.25)
    assert interval(np.array([np.nan])) is None
    assert interval(np.zeros(0)) is None
