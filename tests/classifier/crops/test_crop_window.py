from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.classifier.crops.window import crop_windows, cut, fit_whole
from maskdet.datasets.photos.mend import mend_boxes

coordinates = st.floats(-50, 250, allow_nan=False) | st.integers(-5, 205).map(float)


@given(
    corners=st.lists(coordinates, min_size=4, max_size=4),
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    margin=st.floats(0, 5),
    square=st.booleans(),
    side=st.none() | st.integers(1, 40),
)
def test_no_crop_is_ever_empty(
    corners: list[float], size: tuple[int, int], margin: float, square: bool, side: int | None
) -> None:
    mended = mend_boxes(np.array([corners]), np.array([size], dtype=np.float64))
    if mended.empty[0]:
        return
    (window,) = crop_windows(mended.boxes, size, margin=margin, square=square)
    x1, y1, x2, y2 = window.tolist()
    assert x1 < x2 and y1 < y2 and x1 < size[0] and y1 < size[1] and x2 > 0 and y2 > 0
    if square:
        assert x2 - x1 == y2 - y1
    else:
        assert x1 >= 0 and y1 >= 0 and x2 <= size[0] and y2 <= size[1]
    crop = cut(np.zeros((size[1], size[0], 3), np.uint8), window, side)
    assert crop.shape == ((y2 - y1, x2 - x1, 3) if side is None else (side, side, 3))


@given(x=st.integers(0, 190), y=st.integers(0, 190), w=st.integers(1, 10), h=st.integers(1, 10), margin=st.floats(0, 5))
def test_a_window_holds_its_whole_box(x: int, y: int, w: int, h: int, margin: float) -> None:
    box = np.array([[x, y, x + w, y + h]], dtype=np.float64)
    for square in (False, True):
        (window,) = crop_windows(box, (200, 200), margin=margin, square=square)
        assert (window[:2] <= box[0, :2]).all() and (window[2:] >= box[0, 2:]).all()


def test_a_margin_adds_no_pixel_for_rounding_errors() -> None:
    box = np.array([[50.0, 50.0, 80.0, 80.0]])  # 0.1 · 30 = 3.0000000000000004
    assert crop_windows(box, (200, 200), margin=0.1).tolist() == [[47, 47, 83, 83]]
    assert crop_windows(box, (200, 200), margin=0.1, square=True).tolist() == [[47, 47, 83, 83]]


def test_what_lies_outside_repeats_the_edge() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, 0] = 7
    crop = cut(image, np.array([-2, -1, 2, 3]))
    assert crop.shape == (4, 4, 3)
    assert (crop[:, :3] == 7).all() and (crop[:, 3] == 0).all()


@pytest.mark.parametrize("side", [None, 3])
def test_a_crop_is_no_view_of_its_photo(side: int | None) -> None:
    image = np.zeros((9, 9, 3), np.uint8)
    crop = cut(image, np.array([1, 1, 4, 4]), side)
    crop[:] = 255
    assert not image.any()


@given(size=st.tuples(st.integers(1, 60), st.integers(1, 60)), side=st.integers(1, 40), square=st.booleans())
def test_a_whole_picture_fits(size: tuple[int, int], side: int, square: bool) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    before = image.copy()
    fitted = fit_whole(image, side, square=square)
    assert (fitted.shape, fitted.dtype) == ((side, side, 3), np.uint8)
    assert (image == before).all()
    assert not np.shares_memory(fitted, image)
    if size[0] == size[1] or not square:
        window = np.array([0, 0, size[1], size[0]])
        assert (fitted == cut(image, window, side)).all()


def test_a_whole_picture_keeps_its_proportions() -> None:
    # Two columns of three rows, in the middle of 3×3: the row's last pixel is repeated.
    image = np.arange(1, 7, dtype=np.uint8).reshape(3, 2, 1).repeat(3, axis=2)
    assert fit_whole(image, 3, square=True)[:, :, 0].tolist() == [[1, 2, 2], [3, 4, 4], [5, 6, 6]]
