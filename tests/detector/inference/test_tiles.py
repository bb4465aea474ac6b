from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskdet
from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.inference.postprocess import Detections
from maskdet.detector.inference.tiles import (
    View,
    detect_tiled,
    is_cut,
    longer_than,
    merge_views,
    tile_grid,
    tile_starts,
)
from maskdet.imaging.decode import decode_file

SIDES = st.integers(1, 3000)
SIZES = st.integers(1, 800)
OVERLAPS = st.floats(0, 0.9)


def detections(rows: Sequence[tuple[float, ...]]) -> Detections:
    """Build detections from rows x1, y1, x2, y2, confidence, class."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


@given(SIDES, SIZES, OVERLAPS)
def test_tiles_cover_a_side_and_overlap_as_asked(length: int, size: int, overlap: float) -> None:
    starts = tile_starts(length, size, overlap)
    assert starts[0] == 0
    assert starts[-1] == max(length - size, 0)
    gaps = np.diff(starts)
    assert (gaps > 0).all()
    # A tile of one pixel, or an overlap that leaves less than one, still moves on by one.
    assert (gaps <= max(size - size * overlap, 1)).all()


@given(SIDES, st.integers(10, 800), OVERLAPS)
def test_no_tile_could_be_spared(length: int, size: int, overlap: float) -> None:
    count = len(tile_starts(length, size, overlap))
    step = max(size - int(np.ceil(size * overlap)), 1)
    assert count == 1 or size + (count - 2) * step < length


@given(st.integers(1, 300), st.integers(1, 300), st.integers(8, 200), st.floats(0, 0.8))
def test_every_pixel_is_seen_and_no_tile_leaves_the_picture(height: int, width: int, size: int, overlap: float) -> None:
    grid = tile_grid(height, width, size, overlap)
    seen = np.zeros((height, width), np.bool_)
    for left, top, right, bottom in grid.tolist():
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert (right - left, bottom - top) == (min(size, width), min(size, height))
        seen[top:bottom, left:right] = True
    assert seen.all()


@given(st.integers(100, 900), st.integers(100, 900), st.data())
def test_a_box_no_longer_than_the_overlap_is_whole_in_some_tile(height: int, width: int, data: st.DataObject) -> None:
    grid = tile_grid(height, width, 100, 0.2)
    x, y = data.draw(st.floats(0, width - 20)), data.draw(st.floats(0, height - 20))
    inside = (grid[:, 0] <= x) & (grid[:, 1] <= y) & (x + 20 <= grid[:, 2]) & (y + 20 <= grid[:, 3])
    assert inside.any()


@pytest.mark.parametrize(("size", "overlap"), [(0, 0.2), (100, 1.0), (100, -0.1)])
def test_grids_that_cannot_be(size: int, overlap: float) -> None:
    with pytest.raises(ValueError, match="a tile needs"):
        tile_grid(100, 100, size, overlap)


def test_cut_is_by_inner_borders_only() -> None:
    view = View(np.array([0, 100, 200, 300]), detections([(0, 50, 20, 70, 0.9, 0), (50, 1, 70, 20, 0.9, 0)]))
    # The left border is the picture's own; the upper one is not.
    assert is_cut(view, (400, 200)).tolist() == [False, True]
    # In a picture that ends where the tile does, neither is the lower one.
    low = View(np.array([0, 100, 200, 300]), detections([(50, 180, 70, 200, 0.9, 0)]))
    assert is_cut(low, (400, 200)).tolist() == [True]
    assert is_cut(low, (300, 200)).tolist() == [False]


LEFT, RIGHT, SIZE = np.array([0, 0, 100, 100]), np.array([60, 0, 160, 100]), (100, 160)


def test_a_face_in_the_overlap_is_reported_once() -> None:
    left = View(LEFT, detections([(70, 10, 90, 30, 0.8, 0)]))
    right = View(RIGHT, detections([(10, 11, 30, 31, 0.9, 0)]))
    merged = merge_views(detections([]), [left, right], SIZE)
    np.testing.assert_allclose(merged.boxes, [[70, 11, 90, 31]])
    np.testing.assert_allclose(merged.confidences, [0.9])


def test_a_cut_face_gives_way_to_the_whole_one_though_less_confident() -> None:
    left = View(LEFT, detections([(85, 10, 100, 40, 0.9, 0)]))  # its right half is over the border
    right = View(RIGHT, detections([(25, 10, 55, 40, 0.6, 0)]))
    merged = merge_views(detections([]), [left, right], SIZE)
    np.testing.assert_allclose(merged.boxes, [[85, 10, 115, 40]])


def test_a_cut_face_stays_where_nothing_covers_it() -> None:
    left = View(LEFT, detections([(85, 10, 100, 40, 0.9, 0)]))
    merged = merge_views(detections([]), [left, View(RIGHT, detections([]))], SIZE)
    np.testing.assert_allclose(merged.boxes, [[85, 10, 100, 40]])


def test_classes_suppress_each_other_only_when_agnostic() -> None:
    left = View(LEFT, detections([(70, 10, 90, 30, 0.8, 0)]))
    right = View(RIGHT, detections([(10, 10, 30, 30, 0.9, 1)]))
    assert merge_views(detections([]), [left, right], SIZE).class_ids.tolist() == [1, 0]
    assert merge_views(detections([]), [left, right], SIZE, agnostic=True).class_ids.tolist() == [1]


def test_the_whole_picture_answers_for_long_faces_only() -> None:
    found = detections([(0, 0, 20, 10, 0.9, 0), (0, 0, 10, 21, 0.8, 0)])
    assert longer_than(found, 20).confidences.tolist() == pytest.approx([0.8])

    def detect(images: Sequence[npt.NDArray[np.uint8]]) -> list[Detections]:
        return [detections([(3, 3, 8, 8, 0.9, 0), (0, 0, 90, 90, 0.8, 1)]) for _ in images]

    # A picture no larger than a tile is seen once, with both boxes. One of 150 pixels has four tiles, each of which
    # sees a small face of its own; that of the whole picture does not count.
    assert len(detect_tiled(detect, np.zeros((100, 100, 3), np.uint8), 100).boxes) == 2
    tiled = detect_tiled(detect, np.zeros((150, 150, 3), np.uint8), 100)
    assert (tiled.class_ids == 0).sum() == 4
    together = detect_tiled(detect, np.zeros((150, 150, 3), np.uint8), 100, at_once=3)
    np.testing.assert_array_equal(together.boxes, tiled.boxes)


def test_nothing_found() -> None:
    merged = merge_views(detections([]), [View(LEFT, detections([])), View(RIGHT, detections([]))], SIZE)
    assert merged.boxes.shape == (0, 4)


def test_small_faces_are_found_in_tiles(astronaut: Path) -> None:
    face = cv2.resize(decode_file(astronaut), (96, 96), interpolation=cv2.INTER_AREA)
    large = np.full((900, 1400, 3), 114, np.uint8)
    # The portrait's face is a fifth of its width: 19 pixels here, and 9 in a whole view of 640.
    large[400:496, 1200:1296] = face
    assert maskdet.MaskDetector().detect(large).faces == []
    (found,) = maskdet.MaskDetector(tile=320).detect(large).faces
    # Its box in the portrait, a fifth and a bit to the right, scaled by 96 / 512.
    x1, y1, x2, y2 = found.box
    assert 1230 < x1 < 1240
    assert 408 < y1 < 422
    assert 1245 < x2 < 1256
    assert 428 < y2 < 440


def test_small_pictures_are_seen_as_ever(astronaut: Path) -> None:
    picture = decode_file(astronaut)
    plain, tiled = maskdet.MaskDetector().detect(picture), maskdet.MaskDetector(tile=True).detect(picture)
    np.testing.assert_array_equal(plain.boxes, tiled.boxes)


def test_a_tile_has_a_least_size_and_scoring_takes_predictions() -> None:
    with pytest.raises(ValueError, match="at least 32 pixels, not 8"):
        maskdet.MaskDetector(tile=8)
    split = LabelledSplit("a/data.yaml", "val", (Path("a.jpg"),), (Truth(np.zeros((1, 4)), np.zeros(1, np.int64)),))
    with pytest.raises(ValueError, match="scored by its predictions"):
        evaluate(maskdet.MaskDetector(tile=True), split)
