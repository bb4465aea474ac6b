from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maskdet.detector.inference.letterbox import Letterbox
from maskdet.imaging.tensor import to_tensor

SIDES = st.integers(1, 900)
SIZES = st.sampled_from([64, 320, 416, 640])


def test_portrait_photo_by_hand() -> None:
    # 400 high becomes 640, so 300 wide becomes 480, a multiple of 32: no border.
    assert Letterbox.fit((400, 300), 640) == Letterbox((400, 300), (640, 480), (640, 480), (0, 0))
    # The full square wants 160 more columns, 80 on each side.
    assert Letterbox.fit((400, 300), 640, auto=False).offset == (0, 80)


def test_odd_border_leaves_the_larger_part_below() -> None:
    fit = Letterbox.fit((101, 200), 64)
    assert fit.resized == (32, 64)
    fit = Letterbox.fit((95, 200), 64)  # 30.4 -> 30 rows, 2 spare
    assert (fit.resized, fit.offset) == ((30, 64), (1, 0))


@given(SIDES, SIDES, SIZES)
def test_geometry_equals_ultralytics(height: int, width: int, imgsz: int) -> None:
    augment = pytest.importorskip("ultralytics.data.augment")
    image = np.zeros((height, width, 3), np.uint8)
    for auto in (True, False):
        expected = augment.LetterBox(imgsz, auto=auto, stride=32)(image=image).shape[:2]
        assert Letterbox.fit((height, width), imgsz, auto=auto).padded == tuple(expected)


def test_pixels_equal_ultralytics() -> None:
    augment = pytest.importorskip("ultralytics.data.augment")
    rng = np.random.default_rng(0)
    for shape in ((267, 400), (400, 301), (33, 700), (640, 640)):
        image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        for auto in (True, False):
            expected = augment.LetterBox(640, auto=auto, stride=32)(image=image)
            np.testing.assert_array_equal(Letterbox.fit(shape, 640, auto=auto).apply(image), expected)


@given(SIDES, SIDES, SIZES, st.integers(0, 2**32 - 1))
def test_boxes_equal_ultralytics(height: int, width: int, imgsz: int, seed: int) -> None:
    ops = pytest.importorskip("ultralytics.utils.ops")
    fit = Letterbox.fit((height, width), imgsz)
    # ultralytics guesses the scale from the input's sides: wrongly where one was rounded down to a whole stride.
    assume(min(fit.padded[0] / height, fit.padded[1] / width) == min(imgsz / height, imgsz / width))
    boxes = np.random.default_rng(seed).uniform(-20, imgsz + 20, (5, 4)).astype(np.float32)
    expected = ops.scale_boxes(fit.padded, boxes.copy(), (height, width))
    np.testing.assert_allclose(fit.restore(boxes), expected, rtol=1e-5, atol=1e-3)


@given(st.integers(40, 900), st.integers(40, 900), SIZES)
def test_a_box_comes_back(height: int, width: int, imgsz: int) -> None:
    fit = Letterbox.fit((height, width), imgsz)
    box = np.array([[0.1 * width, 0.2 * height, 0.7 * width, 0.9 * height]], np.float32)
    gain = np.array([fit.resized[1] / width, fit.resized[0] / height] * 2, np.float32)
    shift = np.array([fit.offset[1], fit.offset[0]] * 2, np.float32)
    np.testing.assert_allclose(fit.restore(box * gain + shift), box, atol=0.01)


def test_callers_array_is_kept() -> None:
    image = np.full((30, 50, 3), 7, np.uint8)
    Letterbox.fit((30, 50), 64).apply(image)
    assert (image == 7).all()


def test_tensor_is_rgb_in_zero_to_one() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    image[..., 0] = 255  # blue, as OpenCV orders
    tensor = to_tensor([image])
    assert tensor.shape == (1, 3, 2, 3)
    assert tensor.dtype == np.float32
    assert tensor[0, 2].min() == 1.0
    assert tensor[0, :2].max() == 0.0
