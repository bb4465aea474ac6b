"""What a poor camera does to a picture: back light, darkness, glare, blur, grain, a cast, no colour, strong JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
_Light = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraFaults:
    """How often each fault happens, 0 to 1, and between which bounds it is drawn.

    Attributes:
        backlight: a light beside or behind the person brightens one side and darkens the rest.
        streaks: bright lines run through that light, as on a smeared lens.
        gamma: exponent on the pixels from 0 to 1, drawn from this range: above 1 the picture gets darker.
        blur: out of focus.
        most_blur: largest standard deviation of that blur, in pixels.
        motion: moved while it was taken.
        grain: noise of the sensor.
        grey: no colour.
        quality: of the JPEG compression, drawn from this range.
    """

    backlight: float = 0.35
    streaks: float = 0.0
    gamma: tuple[float, float] = (0.75, 1.5)
    blur: float = 0.6
    most_blur: float
    motion: float = 0.15
    grain: float = 0.7
    grey: float = 0.08
    quality: tuple[float, float] = (25, 90)


#: Most that training blurs a photo, as a part of the side of its smallest face: a blurred face must stay one.
BLUR_OF_FACE: Final = 0.08


def training_faults(smallest: float) -> CameraFaults:
    """Return the faults that training draws from, for a photo whose smallest face has a side of so many pixels."""
    return CameraFaults(
        streaks=0.5,
        gamma=(0.7, 2.4),
        blur=0.4,
        most_blur=BLUR_OF_FACE * smallest,
        motion=0.0,
        grain=0.5,
        grey=0.35,
    )


def see_through(picture: Image, faults: CameraFaults, rng: np.random.Generator) -> Image:
    """Return the (H, W, 3) uint8 BGR picture as a camera with these faults gives it; the input stays as it is."""
    work = picture.astype(np.float32)
    if rng.random() < faults.backlight:
        work = _backlight(work, faults.streaks, rng)
    work = np.asarray(255 * (np.clip(work, 0, 255) / 255) ** rng.uniform(*faults.gamma), np.float32)
    work *= rng.uniform(0.9, 1.1, 3).astype(np.float32)
    if rng.random() < faults.blur:
        work = np.asarray(cv2.GaussianBlur(work, (0, 0), rng.uniform(0.3, max(faults.most_blur, 0.3))), np.float32)
    if rng.random() < faults.motion:
        work = _motion(work, rng)
    if rng.random() < faults.grain:
        grain = rng.normal(0, rng.uniform(1, 12), picture.shape[:2]).astype(np.float32)
        work += grain[:, :, None] + rng.normal(0, 3, picture.shape).astype(np.float32)
    if rng.random() < faults.grey:
        work = np.repeat(work.mean(axis=2, keepdims=True), 3, axis=2)
    seen = np.clip(work, 0, 255).astype(np.uint8)
    quality = int(rng.uniform(*faults.quality))
    coded = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _backlight(work: _Light, streaks: float, rng: np.random.Generator) -> _Light:
    """Brighten around a light in the upper part and darken the rest; sometimes draw streaks through the light."""
    height, width = work.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = rng.uniform(0, width), rng.uniform(0, 0.6 * height)
    glow = np.exp(-(((columns - x) / (0.4 * width)) ** 2 + ((rows - y) / (0.4 * height)) ** 2))
    lit = np.asarray(work * rng.uniform(0.45, 0.9) + rng.uniform(40, 150) * glow[:, :, None], np.float32)
    if streaks and rng.random() < streaks:
        angle = rng.uniform(0.2, 0.8) * np.pi
        for _ in range(int(rng.integers(1, 4))):
            offset = (columns - x) * np.sin(angle) - (rows - y) * np.cos(angle) + rng.normal(0, 0.15 * width)
            thickness = rng.uniform(0.002, 0.012) * width
            lit += rng.uniform(60, 200) * np.exp(-((offset / thickness) ** 2))[:, :, None]
    return lit


def _motion(work: _Light, rng: np.random.Generator) -> _Light:
    """Blur along a line."""
    length = int(rng.integers(3, 9))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle = (length - 1) / 2
    end = (middle * np.cos(angle), middle * np.sin(angle))
    start = (round(middle - end[0]), round(middle - end[1]))
    cv2.line(kernel, start, (round(middle + end[0]), round(middle + end[1])), 1.0)
    return np.asarray(cv2.filter2D(work, -1, kernel / max(float(kernel.sum()), 1.0)), np.float32)
