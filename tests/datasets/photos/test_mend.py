from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskdet.datasets.photos.mend import find_repeated, mend_boxes, turn_boxes
from maskdet.results.labels import format_labels, from_yolo, to_yolo

coordinate = st.floats(-5000, 5000, allow_nan=False) | st.integers(-50, 700).map(float)
box = st.tuples(coordinate, coordinate, coordinate, coordinate)
size = st.tuples(st.integers(1, 6000), st.integers(1, 6000))


@given(st.lists(st.tuples(box, size), max_size=8))
def test_mended_boxes_lie_inside_and_mending_again_changes_nothing(
    pairs: list[tuple[tuple[float, ...], tuple[int, int]]],
) -> None:
    boxes = np.array([pair[0] for pair in pairs], dtype=np.float64).reshape(-1, 4)
    sizes = np.array([pair[1] for pair in pairs], dtype=np.float64).reshape(-1, 2)
    original = boxes.copy()
    mended = mend_boxes(boxes, sizes)
    assert (boxes == original).all()
    low, high = mended.boxes[:, :2], mended.boxes[:, 2:]
    assert (low >= 0).all()
    assert (high <= sizes).all()
    assert (low <= high).all()
    assert ((high - low)[~mended.empty] > 0).all()
    untouched = ~(mended.swapped | mended.clipped)
    assert (mended.boxes[untouched] == boxes[untouched]).all()
    again = mend_boxes(mended.boxes, sizes)
    assert (again.boxes == mended.boxes).all()
    assert not again.swapped.any()
    assert not again.clipped.any()
    assert (again.empty == mended.empty).all()


@given(box, size)
def test_voc_to_yolo_and_back(corners: tuple[float, ...], picture: tuple[int, int]) -> None:
    mended = mend_boxes(np.array([corners]), np.array([picture], dtype=np.float64))
    rows = to_yolo(mended.boxes, picture)
    assert (rows >= 0).all()
    assert (rows <= 1).all()
    assert np.allclose(from_yolo(rows, picture), mended.boxes, rtol=0, atol=1e-9 * max(picture))
    # Through the file: six decimals move an edge by at most 1e-6 of the picture, and what is kept keeps an area.
    words = format_labels(np.array([2]), rows).split()
    assert words[0] == "2"
    read = np.array([[float(word) for word in words[1:]]])
    assert np.abs(from_yolo(read, picture) - mended.boxes).max() <= 1.01e-6 * max(picture)
    if not mended.empty[0]:
        assert (read[:, 2:] > 0).all()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_repeated_rows_are_all_but_the_first(rows: list[tuple[int, int]]) -> None:
    seen: set[tuple[int, int]] = set()
    expected = []
    for row in rows:
        expected.append(row in seen)
        seen.add(row)
    assert find_repeated(np.array(rows, dtype=np.float64).reshape(-1, 2)).tolist() == expected


@given(box, size, st.sampled_from([5, 6, 7, 8]))
def test_turning_keeps_area_and_undoes_itself(
    corners: tuple[float, ...], picture: tuple[int, int], orientation: int
) -> None:
    mended = mend_boxes(np.array([corners]), np.array([picture], dtype=np.float64)).boxes
    turned = turn_boxes(mended, picture, orientation)
    assert (turned[:, :2] <= turned[:, 2:]).all()
    assert np.allclose((turned[:, 2:] - turned[:, :2])[:, ::-1], mended[:, 2:] - mended[:, :2], atol=1e-6)
    back = {5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    assert np.allclose(turn_boxes(turned, picture[::-1], back), mended, atol=1e-6)
