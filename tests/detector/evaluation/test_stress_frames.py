from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.evaluation.stress_frames import (
    BUCKETS,
    PICTURE_SIDES,
    SHARES,
    SHRUNK,
    Frame,
    face_window,
    into_picture,
    longer_side,
    plan_frames,
    render,
)


@st.composite
def faces(draw: st.DrawFn) -> tuple[tuple[int, int], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """A photo's (width, height) and a box of 20 pixels or more in it, at any fraction of a pixel."""
    size = draw(st.integers(64, 900)), draw(st.integers(64, 900))
    width, height = (draw(st.floats(20, side)) for side in size)
    left, top = draw(st.floats(0, size[0] - width)), draw(st.floats(0, size[1] - height))
    box = np.array([left, top, min(left + width, size[0]), min(top + height, size[1])])
    assume(longer_side(box) >= 20)
    return size, box


@given(faces(), st.floats(0.05, 0.95))
def test_a_window_holds_its_face_and_lies_in_the_photo(
    photo: tuple[tuple[int, int], np.ndarray[tuple[int], np.dtype[np.float64]]], share: float
) -> None:
    (width, height), box = photo
    window = face_window(box, share, (width, height))
    if window is None:  # only where the shorter side is too short, up to the rounding to whole pixels
        assert longer_side(box) / share > min(width, height) - 2
        return
    left, top, right, bottom = window
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert left <= box[0] <= box[2] <= right
    assert top <= box[1] <= box[3] <= bottom
    # Whole pixels: half a one by rounding, up to two where the face lies across them.
    assert -0.5 <= min(right - left, bottom - top) - longer_side(box) / share <= 2
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.5 / min(right - left, bottom - top))


@given(faces(), st.floats(0.05, 0.95))
def test_a_face_is_in_the_middle_where_the_photo_has_room(
    photo: tuple[tuple[int, int], np.ndarray[tuple[int], np.dtype[np.float64]]], share: float
) -> None:
    size, box = photo
    # Large enough a share for the photo to have room, but for faces longer than its shorter side.
    window = face_window(box, max(share, longer_side(box) / (min(size) - 2)), size)
    if window is None:
        assert longer_side(box) > min(size) - 3
        return
    for axis in range(2):
        start, end = window[axis], window[axis + 2]
        off = (start + end - box[axis] - box[axis + 2]) / 2
        # Moved towards the middle of the photo only, and only because an edge is in the way.
        assert abs(off) <= 1 or (off > 0 and start == 0) or (off < 0 and end == size[axis])


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_boxes_move_with_the_pixels(width: int, height: int, data: st.DataObject) -> None:
    left, top = data.draw(st.integers(0, 50)), data.draw(st.integers(0, 50))
    window = left, top, left + data.draw(st.integers(1, 300)), top + data.draw(st.integers(1, 300))
    size = width, height
    # The window itself fills the picture, whatever its size; a point in its middle is in the middle.
    middle = [(window[0] + window[2]) / 2, (window[1] + window[3]) / 2] * 2
    moved = into_picture(np.array([window, middle], dtype=np.float64), window, size)
    np.testing.assert_allclose(moved[0], [0, 0, *size])
    np.testing.assert_allclose(moved[1], [width / 2, height / 2] * 2)


def test_the_window_moves_into_the_photo() -> None:
    # A face of 20 at a fifth: 100 high, and 200 wide in a photo of 2:1; at the edge it starts with the photo.
    assert face_window(np.array([0.0, 0, 10, 20]), 0.2, (400, 200)) == (0, 0, 200, 100)
    assert face_window(np.array([390.0, 180, 400, 200]), 0.2, (400, 200)) == (200, 100, 400, 200)


def one_face(size: tuple[int, int], *rows: tuple[int, list[float]], most: int | None = None) -> list[Frame]:
    truth = Truth(np.array([box for _, box in rows], dtype=np.float64), np.array([class_id for class_id, _ in rows]))
    return plan_frames([truth], [size], most=most)


def test_every_bucket_of_one_face() -> None:
    frames = one_face((400, 300), (1, [100, 100, 130, 124]))
    # 30 pixels long: every share has room (300 at 10 %), and 30 is at most a sixth of 300.
    assert [frame.bucket for frame in frames] == list(BUCKETS)
    shrunk, tenth, *_ = frames
    # The first length is 8: the photo of 400 × 300 becomes 107 × 80.
    assert (shrunk.window, shrunk.size) == ((0, 0, 400, 300), (107, 80))
    assert longer_side(shrunk.target) == pytest.approx(30 * 107 / 400)
    # At 10 % the window is the whole photo, at the first size.
    assert (tenth.window, tenth.size) == ((0, 0, 400, 300), (240, 180))
    np.testing.assert_allclose(tenth.target, [60, 60, 78, 74.4])
    for frame in frames[1:]:
        assert frame.class_id == 1
        assert longer_side(frame.target) / min(frame.size) == pytest.approx(SHARES[frame.bucket], rel=0.04)


@pytest.mark.parametrize(
    ("side", "buckets"),
    [
        (15.0, []),
        (16.0, [SHRUNK]),
        (19.0, [SHRUNK]),
        (20.0, [SHRUNK, *SHARES]),
        (51.0, ["25 %", "50 %", "75 %", "95 %"]),  # 510 pixels are more than the photo has, and 51 more than a sixth
        (160.0, ["75 %", "95 %"]),
        (300.0, []),
    ],
)
def test_which_faces_stand_in_which_bucket(side: float, buckets: list[str]) -> None:
    assert [frame.bucket for frame in one_face((400, 300), (0, [0, 0, side, 10]))] == buckets


def test_neighbours_are_kept_and_cut() -> None:
    # At 50 % the window of the first face, 40 long, is 80 × 80 around it: x and y from 80 to 160.
    rows = (0, [100, 100, 140, 140]), (1, [70, 100, 100, 140]), (2, [300, 300, 310, 310])
    frames = one_face((400, 400), *rows)
    (half,) = [frame for frame in frames if frame.bucket == "50 %" and frame.class_id == 0]
    assert (half.window, half.size) == ((80, 80, 160, 160), (240, 240))
    np.testing.assert_allclose(half.target, [60, 60, 180, 180])
    np.testing.assert_allclose(half.others, [[0, 60, 60, 180]])


def test_sizes_are_taken_in_turn_by_class_and_bucket() -> None:
    truth = Truth(np.array([[0.0, 0, 30, 30], [50, 0, 80, 30], [100, 0, 130, 30]]), np.array([0, 0, 1]))
    frames = [frame for frame in plan_frames([truth] * 4, [(400, 300)] * 4) if frame.bucket == "25 %"]
    masks, bare = ([max(frame.size) for frame in frames if frame.class_id == which] for which in (0, 1))
    assert masks == [*PICTURE_SIDES, *PICTURE_SIDES[:2]]
    assert bare == list(PICTURE_SIDES[:4])
    assert [frame.photo for frame in frames] == sorted(frame.photo for frame in frames)


def test_a_limit_spreads_over_the_photos() -> None:
    truth = Truth(np.array([[0.0, 0, 30, 30]]), np.array([2]))
    frames = plan_frames([truth] * 9, [(400, 300)] * 9, most=3)
    assert [frame.photo for frame in frames if frame.bucket == "95 %"] == [0, 4, 8]
    with pytest.raises(ValueError, match="1 or more"):
        plan_frames([truth], [(400, 300)], most=0)


def test_the_picture_shows_the_target() -> None:
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[100:140, 200:240] = 255
    frames = one_face((400, 300), (0, [200, 100, 240, 140]))
    assert [frame.bucket for frame in frames] == [SHRUNK, "25 %", "50 %", "75 %", "95 %"]
    for frame in frames:
        picture = render(photo, frame)
        assert picture.shape == (frame.size[1], frame.size[0], 3)
        # The white square, measured by its brightness along the row and column through its middle.
        x, y = ((frame.target[:2] + frame.target[2:]) / 2).astype(int)
        width, height = frame.target[2:] - frame.target[:2]
        assert picture[y, :, 0].sum() / 255 == pytest.approx(width, abs=1)
        assert picture[:, x, 0].sum() / 255 == pytest.approx(height, abs=1)
    assert photo.sum() == 40 * 40 * 3 * 255  # kept
