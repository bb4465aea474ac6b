from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskdet.classifier.training.recipe import NO_AUGMENT, Augment

ALL = Augment(flip=0.5, shift=0.1, scale=0.2, rotate=10, light=0.3, colour=0.1, shrink=0.5, blur=0.5, jpeg=0.5)


def noise(side: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_nothing_changes_nothing() -> None:
    crop, box = noise(), np.array([3.0, 4.0, 20.0, 30.0])
    rng = np.random.default_rng(1)
    assert NO_AUGMENT.pixels(crop, rng) is crop
    assert NO_AUGMENT.box(box, rng) is box


def test_a_certain_flip_mirrors_and_leaves_the_given_crop_alone() -> None:
    crop = noise()
    before = crop.copy()
    flipped = Augment(flip=1.0).pixels(crop, np.random.default_rng(0))
    assert (flipped == before[:, ::-1]).all()
    assert (crop == before).all()


def test_light_moves_grey_by_no_more_than_asked() -> None:
    grey = np.full((4, 4, 3), 128, np.uint8)
    for seed in range(20):
        lit = Augment(light=0.25).pixels(grey, np.random.default_rng(seed))
        # Contrast turns about 128, so only the offset of at most a quarter of 128 is seen.
        assert 96 <= int(lit.min()) == int(lit.max()) <= 160


@given(st.integers(0, 10_000), st.sampled_from([1, 2, 7, 24, 96]))
def test_shape_and_type_are_kept_and_the_same_seed_gives_the_same(seed: int, side: int) -> None:
    crop = noise(side)
    first, second = (ALL.pixels(crop, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == crop.shape
    assert first.dtype == np.uint8
    assert (first == second).all()


@given(st.integers(0, 10_000), st.floats(0.5, 500), st.floats(0.5, 500))
def test_boxes_stay_within_what_was_asked(seed: int, width: float, height: float) -> None:
    box = np.array([10.0, 20.0, 10 + width, 20 + height])
    moved = ALL.box(box, np.random.default_rng(seed))
    size, new = box[2:] - box[:2], moved[2:] - moved[:2]
    assert (np.abs((moved[:2] + moved[2:]) / 2 - (box[:2] + box[2:]) / 2) <= 0.1 * size + 1e-6).all()
    assert (new >= size / 1.2 - 1e-6).all() and (new <= size * 1.2 + 1e-6).all()
