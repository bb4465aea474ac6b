from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from maskdet.detector.training.camera import BLUR_OF_FACE, CameraFaults, see_through, training_faults

#: A camera with no fault but its cast of up to a tenth a channel, and JPEG of high quality.
CLEAN = CameraFaults(backlight=0, gamma=(1, 1), blur=0, most_blur=0, motion=0, grain=0, grey=0, quality=(95, 95))
FLAT = np.full((96, 128, 3), 128, np.uint8)
#: Left half dark, right half bright.
EDGE = np.repeat(np.repeat(np.uint8([[40, 200]]), 64, axis=1), 96, axis=0)[:, :, None].repeat(3, axis=2)


def seen(faults: CameraFaults, picture: np.ndarray = FLAT, seed: int = 0) -> np.ndarray:
    return see_through(picture, faults, np.random.default_rng(seed)).astype(np.float64)


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))), st.integers(0, 99))
def test_a_picture_stays_one_and_its_input_as_it_was(picture: np.ndarray, seed: int) -> None:
    before = picture.copy()
    found = see_through(picture, training_faults(8.0), np.random.default_rng(seed))
    assert found.shape == picture.shape and found.dtype == np.uint8
    assert (picture == before).all()
    assert (found == see_through(picture, training_faults(8.0), np.random.default_rng(seed))).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_camera_without_faults_has_but_a_cast(seed: int) -> None:
    found = seen(CLEAN, seed=seed)
    assert np.abs(found.mean(axis=(0, 1)) - 128).max() <= 12.8 + 2
    assert found.std(axis=(0, 1)).max() < 1


@pytest.mark.parametrize("seed", range(5))
def test_little_light_is_an_exponent(seed: int) -> None:
    # 255 · (128 / 255)² = 64.25, within the cast of a tenth.
    found = seen(replace(CLEAN, gamma=(2, 2)), seed=seed)
    assert found.mean() == pytest.approx(64.25, abs=6.5 + 1)


def test_without_colour_all_channels_are_one() -> None:
    coloured = np.broadcast_to(np.uint8([30, 90, 220]), (96, 128, 3)).copy()
    found = seen(replace(CLEAN, grey=1), coloured)
    assert np.ptp(found, axis=2).max() <= 2  # JPEG's rounding


@pytest.mark.parametrize("seed", range(5))
def test_back_light_brightens_around_itself_and_darkens_the_rest(seed: int) -> None:
    found = cv2.GaussianBlur(seen(replace(CLEAN, backlight=1), seed=seed), (0, 0), 2).mean(axis=2)
    # Beyond the glow at most 0.9 of the light is left and a cast of a tenth; in it at least 40 are added to 0.45 of it.
    assert found.max() - found.min() > 20
    assert np.unravel_index(found.argmax(), found.shape)[0] <= 0.6 * 96 + 2


@pytest.mark.parametrize("seed", range(5))
def test_streaks_are_bright_lines(seed: int) -> None:
    dark = np.zeros((160, 160, 3), np.uint8)
    without, with_streaks = (
        seen(replace(CLEAN, backlight=1, streaks=streaks), dark, seed).mean(axis=2) for streaks in (0.0, 1.0)
    )
    # The same draws up to the streaks, so that all that differs much is they: brighter, and no wide area.
    bright = with_streaks - without > 40
    assert 0 < bright.mean() < 0.25


def test_blur_is_bounded_by_the_smallest_face() -> None:
    assert training_faults(25.0).most_blur == 25.0 * BLUR_OF_FACE
    sharp, soft = (
        np.abs(np.diff(seen(replace(CLEAN, blur=1, most_blur=most), EDGE)[48, :, 0])).max() for most in (0.3, 8.0)
    )
    # 160 from one pixel to the next where nothing is blurred.
    assert sharp > 100
    assert soft < 60


def test_grain_is_noise_without_a_lean() -> None:
    found = seen(replace(CLEAN, grain=1), seed=3)
    assert 2 < found.std() < 20
    assert found.mean() == pytest.approx(128, abs=14)


def test_motion_blurs_along_a_line() -> None:
    dot = np.zeros((41, 41, 3), np.uint8)
    dot[20, 20] = 255
    found = seen(replace(CLEAN, motion=1), dot)[:, :, 0]
    lit = np.argwhere(found > 20)
    assert len(lit) >= 3 and found.max() < 200
    assert np.abs(lit - 20).max() <= 5
