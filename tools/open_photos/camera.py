"""What a cheap camera does to a picture: little light, blur, noise, a cast, strong JPEG compression."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def degrade(picture: Picture, random: np.random.Generator) -> Picture:
    """Return the picture (H×W×3 BGR) as a camera of drawn quality gives it; one in four stays clean."""
    if random.random() < 0.25:
        return picture
    work = picture.astype(np.float32)
    if random.random() < 0.35:
        work = _backlight(work, random)
    work = 255 * (np.clip(work, 0, 255) / 255) ** random.uniform(0.75, 1.5)
    work *= random.uniform(0.9, 1.1, 3).astype(np.float32)
    if random.random() < 0.6:
        work = cv2.GaussianBlur(work, (0, 0), random.uniform(0.3, 0.006 * max(picture.shape[:2]) + 0.5))
    if random.random() < 0.15:
        work = _motion(work, random)
    if random.random() < 0.7:
        grain = random.normal(0, random.uniform(1, 12), picture.shape[:2]).astype(np.float32)
        work += grain[:, :, None] + random.normal(0, 3, picture.shape).astype(np.float32)
    if random.random() < 0.08:
        work = np.repeat(work.mean(axis=2, keepdims=True), 3, axis=2)
    seen = np.clip(work, 0, 255).astype(np.uint8)
    quality = int(random.uniform(25, 90))
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR), np.uint8
    )


def _backlight(work: npt.NDArray[np.float32], random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Brighten one side and darken the rest, as a window behind or beside the person does."""
    height, width = work.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = random.uniform(0, width), random.uniform(0, 0.6 * height)
    glow = np.exp(-(((columns - x) / (0.4 * width)) ** 2 + ((rows - y) / (0.4 * height)) ** 2))
    return np.asarray(work * random.uniform(0.45, 0.9) + random.uniform(40, 150) * glow[:, :, None], np.float32)


def _motion(work: npt.NDArray[np.float32], random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Blur along a line."""
    length = int(random.integers(3, 9))
    kernel = np.zeros((length, length), np.float32)
    angle = random.uniform(0, np.pi)
    middle = (length - 1) / 2
    end = (middle * np.cos(angle), middle * np.sin(angle))
    start = (round(middle - end[0]), round(middle - end[1]))
    cv2.line(kernel, start, (round(middle + end[0]), round(middle + end[1])), 1.0)
    return np.asarray(cv2.filter2D(work, -1, kernel / max(float(kernel.sum()), 1.0)), np.float32)
