from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.detector.training.face_augment import (
    LEAST_VISIBLE,
    MOST_CUT,
    Patch,
    close_up_window,
    crop_boxes,
    cut_patch,
    draw_close_up,
    paste_face,
    slip_mask,
    widened,
)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[tuple[int, int], np.ndarray]:
    """A picture's size and one box in it."""
    width, height = draw(st.integers(40, 400)), draw(st.integers(40, 400))
    w, h = draw(st.integers(4, width)), draw(st.integers(4, height))
    x, y = draw(st.integers(0, width - w)), draw(st.integers(0, height - h))
    return (width, height), np.array([x, y, x + w, y + h], dtype=np.float32)


@given(pictures(), st.floats(0.1, 0.95), st.floats(0.75, 4 / 3), st.integers(0, 99))
def test_window_lies_in_the_picture_and_shows_the_face(
    picture: tuple[tuple[int, int], np.ndarray], share: float, aspect: float, seed: int
) -> None:
    (width, height), box = picture
    x1, y1, x2, y2 = close_up_window(box, (width, height), share, aspect, np.random.default_rng(seed))
    assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
    for low, high, start, end in ((box[0], box[2], x1, x2), (box[1], box[3], y1, y2)):
        seen = min(high, end) - max(low, start)
        # MOST_CUT on either side, and a pixel of rounding on each.
        assert seen >= (1 - 2 * MOST_CUT) * (high - low) - 2


@given(pictures(), st.floats(0.1, 0.95), st.integers(0, 99))
def test_face_takes_its_share_where_the_picture_is_large_enough(
    picture: tuple[tuple[int, int], np.ndarray], share: float, seed: int
) -> None:
    size, box = picture
    side = max(box[2] - box[0], box[3] - box[1])
    x1, y1, x2, y2 = close_up_window(box, size, share, 1.0, np.random.default_rng(seed))
    assert x2 - x1 == pytest.approx(min(side / share, size[0]), abs=1.01)
    assert y2 - y1 == pytest.approx(min(side / share, size[1]), abs=1.01)


def test_boxes_move_with_the_window_and_are_clipped() -> None:
    boxes = np.float32([[10, 10, 30, 30], [0, 0, 12, 12], [50, 50, 60, 60]])
    moved, kept = crop_boxes(boxes, (10, 10, 40, 40))
    assert moved[0].tolist() == [0, 0, 20, 20]
    # 2 × 2 of 12 × 12 pixels of the second are left: less than LEAST_VISIBLE.
    assert LEAST_VISIBLE > 4 / 144
    assert kept.tolist() == [True, False, False]
    assert boxes[0].tolist() == [10, 10, 30, 30]


def test_larger_faces_and_weighted_classes_are_chosen_more_often() -> None:
    boxes = np.float32([[0, 0, 10, 10], [100, 0, 140, 40], [200, 0, 240, 40]])
    weights = np.array([1.0, 1.0, 3.0])
    rng = np.random.default_rng(0)
    seen = np.zeros(3)
    for _ in range(400):
        x1, y1, x2, y2 = draw_close_up(boxes, weights, (640, 100), 640, rng)
        inside = (boxes[:, 0] >= x1 - 5) & (boxes[:, 2] <= x2 + 5) & (boxes[:, 1] >= y1 - 5) & (boxes[:, 3] <= y2 + 5)
        seen += inside
    assert seen[2] > seen[1] > seen[0]


def test_widened_adds_its_margin_on_every_side() -> None:
    assert widened(np.array([10.0, 20.0, 30.0, 60.0]), 0.25) == (5, 10, 35, 70)


def test_patches_come_with_their_margin_or_not_at_all() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    patch = cut_patch(image, np.array([20, 20, 40, 40]), 0.25)
    assert patch is not None and patch.pixels.shape == (30, 30, 3)
    assert cut_patch(image, np.array([0, 20, 40, 40]), 0.25) is None


def test_pasting_replaces_the_face_and_leaves_the_rest() -> None:
    image = np.full((100, 100, 3), 50, np.uint8)
    white = Patch(np.full((30, 30, 3), 250, np.uint8), 0.25)
    assert paste_face(image, np.array([40, 40, 60, 60]), white, np.random.default_rng(0))
    assert (image[50, 50] == 250).all()
    assert (image[:35] == 50).all() and (image[65:] == 50).all()
    assert (image[35, 35] == 50).all()
    assert not paste_face(image, np.array([0, 0, 20, 20]), white, np.random.default_rng(0))


def test_a_slipped_mask_covers_the_chin_and_leaves_the_nose() -> None:
    image = np.full((100, 100, 3), 50, np.uint8)
    masked = Patch(np.concatenate([np.full((20, 40, 3), 50, np.uint8), np.full((20, 40, 3), 250, np.uint8)]), 0.0)
    assert slip_mask(image, np.array([30, 20, 70, 80]), masked, np.random.default_rng(0))
    face = image[20:80, 30:70, 0]
    # The nose is about half-way down, the chin at the end.
    assert (face[: round(60 * 0.62)] == 50).all()
    assert face[-3, 20] > 200
    assert (image[:, :30] == 50).all() and (image[80:] == 50).all()
    assert not slip_mask(image, np.array([30, 20, 36, 26]), masked, np.random.default_rng(0))
