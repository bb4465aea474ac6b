"""On what boxes were drawn: moved where that cannot be wrong, refused elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maskdet.datasets.photos.picture_file import Picture
from maskdet.datasets.voc.mend import Frame, find_frame, same_shape, shares_only

NONE = np.empty((0, 4))
side = st.integers(10, 8000)
size = st.tuples(side, side)


def picture(width: int, height: int, orientation: int = 1) -> Picture:
    stored = (height, width) if orientation >= 5 else (width, height)
    return Picture(Path("a.jpg"), (width, height), stored, orientation)


@given(size, st.floats(0.05, 8), st.sampled_from([np.floor, np.round, np.ceil]))
def test_a_scaled_copy_has_the_same_shape(real: tuple[int, int], factor: float, rounded) -> None:  # type: ignore[no-untyped-def]
    copy = (int(rounded(real[0] * factor)), int(rounded(real[1] * factor)))
    assume(min(copy) >= 1)
    assert same_shape(copy, real)
    assert same_shape(real, copy)


@given(size, st.floats(0.2, 5), st.floats(0, 1), st.floats(0, 1))
def test_scaled_boxes_keep_their_share_of_the_picture(real: tuple[int, int], factor: float, x: float, y: float) -> None:
    copy = (round(real[0] * factor), round(real[1] * factor))
    assume(min(copy) >= 10)
    box = np.array([[x * copy[0], y * copy[1], copy[0], copy[1]]])
    frame = find_frame(copy, picture(*real), box)
    assert not frame.turned
    moved = box * np.tile(frame.scale, 2)
    assert np.allclose(moved / np.tile(real, 2), box / np.tile(copy, 2))
    assert np.allclose(moved[0, 2:], real)


@given(size, size)
def test_it_is_scaled_by_one_factor_or_refused(stated: tuple[int, int], real: tuple[int, int]) -> None:
    try:
        frame = find_frame(stated, picture(*real), NONE)
    except ValueError as error:
        assert f"{stated[0]}×{stated[1]}" in str(error)
    else:
        across, down = frame.scale
        smaller = min(*stated, *real)
        assert across / down == pytest.approx(1, abs=3 / smaller)


@pytest.mark.parametrize(
    ("stated", "real", "scale"),
    [
        (None, (192, 144), (1, 1)),
        ((192, 144), (192, 144), (1, 1)),
        ((96, 72), (192, 144), (2, 2)),
        ((384, 288), (192, 144), (0.5, 0.5)),
        ((133, 100), (400, 301), (400 / 133, 3.01)),
    ],
)
def test_frames(stated: tuple[int, int] | None, real: tuple[int, int], scale: tuple[float, float]) -> None:
    assert find_frame(stated, picture(*real), NONE) == Frame(scale)


@pytest.mark.parametrize("stated", [(144, 192), (96, 144), (192, 72), (640, 640), (188, 144)])
def test_another_shape_is_refused(stated: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="another shape"):
        find_frame(stated, picture(192, 144), NONE)


def test_boxes_that_do_not_fit_what_they_were_drawn_on_are_refused() -> None:
    with pytest.raises(ValueError, match="reach beyond"):
        find_frame((96, 72), picture(192, 144), np.array([[100.0, 20, 180, 130]]))
    edge = np.array([[10.0, 10, 97, 73]])  # 1-based pixel numbers reach a pixel further
    assert find_frame((96, 72), picture(192, 144), edge).scale == (2, 2)


def test_turned_pictures() -> None:
    turned = picture(144, 192, orientation=6)
    assert find_frame((192, 144), turned, NONE) == Frame((1, 1), turned=True)
    assert find_frame((96, 72), turned, NONE) == Frame((2, 2), turned=True)
    assert find_frame((72, 96), turned, NONE) == Frame((2, 2), turned=False)
    assert find_frame((144, 192), turned, NONE) == Frame()


@pytest.mark.parametrize(
    ("boxes", "shares"),
    [
        ([[0.125, 0.2, 0.375, 0.583]], True),
        ([[0, 0, 1, 1]], True),
        ([[0.4, 0.6, 0.1, 0.2]], True),
        ([[-0.002, 0, 0.5, 1.002]], True),
        ([[0, 0, 0, 0]], False),
        ([[0, 0, 0, 0], [0.1, 0.1, 0.2, 0.2]], True),
        ([[0.1, 0.1, 0.2, 0.2], [1, 1, 30, 40]], False),
        ([[0, 0, 2, 2]], False),
        ([], False),
    ],
)
def test_shares_are_recognised(boxes: list[list[float]], shares: bool) -> None:
    rows = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    assert shares_only(rows, np.zeros(len(rows), np.int64), 1).tolist() == [shares]
