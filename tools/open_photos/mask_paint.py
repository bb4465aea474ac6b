"""Masks painted on a bare face: worn, below the nose, on the chin; of paper, cloth or fleece, shaded by the face beneath."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from open_photos.face_frame import FaceFrame, Points

Picture = npt.NDArray[np.uint8]
Wearing = Literal["worn", "below_nose", "on_chin"]

#: The upper edge's height (see ``FaceFrame``) at the middle line, half way and at the cheek, and the lower edge's.
EDGES: dict[Wearing, tuple[float, float, float, float]] = {
    "worn": (0.22, 0.38, 0.42, 1.78),
    "below_nose": (0.80, 0.80, 0.72, 1.80),
    "on_chin": (1.30, 1.24, 1.12, 1.98),
}

#: BGR of common masks: pale blue, white, black, grey, green, pink, navy, dark red.
COLOURS = (
    (222, 200, 150),
    (238, 238, 236),
    (38, 36, 36),
    (130, 128, 126),
    (180, 205, 160),
    (190, 170, 235),
    (96, 52, 40),
    (50, 40, 130),
)
WEIGHTS = (0.32, 0.22, 0.2, 0.06, 0.06, 0.05, 0.05, 0.04)


@dataclass(frozen=True, kw_only=True)
class MaskStyle:
    """How one mask looks: colour (BGR), number of folds, strength of a pattern and whether it stands off in a ridge."""

    colour: tuple[float, float, float]
    folds: int
    pattern: float
    ridge: bool

    @classmethod
    def draw(cls, random: np.random.Generator) -> MaskStyle:
        """Choose a style."""
        colour = np.array(COLOURS[random.choice(len(COLOURS), p=WEIGHTS)]) + random.normal(0, 10, 3)
        blue, green, red = np.clip(colour, 8, 250)
        kind = random.random()
        return cls(
            colour=(float(blue), float(green), float(red)),
            folds=3 if kind < 0.55 else 0,
            pattern=float(random.uniform(0.1, 0.5)) if kind > 0.85 else 0.0,
            ridge=0.55 < kind < 0.8,
        )


def outline(wearing: Wearing, random: np.random.Generator) -> Points:
    """Return the (N, 2) outline of a mask on the face, clockwise from its left upper corner, jittered as masks sit."""
    middle, half, cheek, low = np.array(EDGES[wearing]) + random.normal(0, 0.04, 4)
    wide = random.uniform(0.92, 1.12)
    if wearing == "worn":
        middle, half = min(middle, 0.36), min(half, 0.5)  # the nose stays covered
    elif wearing == "below_nose":
        middle, half = max(middle, 0.74), max(half, 0.72)
    else:
        middle, half = max(middle, 1.2), max(half, 1.16)
    corner = (cheek + low) / 2
    right = [
        (0.5 * wide, half),
        (0.98 * wide, cheek),
        (1.0 * wide, corner),
        (0.72 * wide, low - 0.16),
        (0.3 * wide, low),
    ]
    left = [(-x, y) for x, y in reversed(right)]
    return np.array([(0.0, middle), *right, (0.0, low + 0.04), *left])


def paint(
    picture: Picture, frame: FaceFrame, wearing: Wearing, style: MaskStyle, random: np.random.Generator
) -> Picture:
    """Return a copy of the picture (H×W×3 BGR) with a mask on the face of ``frame``."""
    edge = _smooth(outline(wearing, random))
    # Only the surroundings of the face are worked on: blurs as wide as a face are dear on a whole photo.
    corners = frame.points(np.array([(x, y) for x in (-1.7, 1.7) for y in (-0.8, 2.9)]))
    size = np.array([picture.shape[1], picture.shape[0]])
    x1, y1 = np.clip(np.floor(corners.min(axis=0)), 0, size).astype(int)
    x2, y2 = np.clip(np.ceil(corners.max(axis=0)), 0, size).astype(int)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return picture
    result = picture.copy()
    near = replace(frame, eyes=frame.eyes - [x1, y1])
    result[y1:y2, x1:x2] = _paint_near(picture[y1:y2, x1:x2], near, edge, style, random)
    return result


def _paint_near(
    picture: Picture, frame: FaceFrame, edge: Points, style: MaskStyle, random: np.random.Generator
) -> Picture:
    """Paint the mask of outline ``edge`` on a face and its surroundings."""
    height, width = picture.shape[:2]
    points = frame.points(edge)
    alpha = np.zeros((height, width), np.uint8)
    cv2.fillPoly(alpha, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    scale = float(np.linalg.norm(frame.across))
    weight = cv2.GaussianBlur(alpha, (0, 0), max(0.02 * scale, 0.4))[:, :, None] / 255.0
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float64)
    inside = grey[alpha > 0]
    level = float(inside.mean()) if inside.size else 128.0
    light = cv2.GaussianBlur(grey, (0, 0), max(0.35 * scale, 1.0)) / max(level, 1.0)
    brightness = np.clip(level / 140, 0.35, 1.15) * random.uniform(0.85, 1.1)
    cloth = np.array(style.colour) * (np.clip(light, 0.5, 1.5) * brightness)[:, :, None]
    cloth *= _relief(frame, style, (height, width), random)[:, :, None]
    cloth += random.normal(0, 2.0, cloth.shape)
    shadow = cv2.GaussianBlur(alpha, (0, 0), max(0.09 * scale, 0.8))[:, :, None] / 255.0
    result = picture * (1 - 0.25 * shadow * (1 - weight))
    result = _straps(result, frame, edge, style, scale)
    return np.clip(result * (1 - weight) + cloth * weight, 0, 255).astype(np.uint8)


def _smooth(edge: Points, rounds: int = 2) -> Points:
    """Cut the outline's corners (Chaikin)."""
    for _ in range(rounds):
        following = np.roll(edge, -1, axis=0)
        edge = np.stack([0.75 * edge + 0.25 * following, 0.25 * edge + 0.75 * following], axis=1).reshape(-1, 2)
    return edge


def _relief(
    frame: FaceFrame, style: MaskStyle, size: tuple[int, int], random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return the factor (H, W) of folds, ridge, roundness and pattern."""
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width]
    base = np.linalg.inv(np.stack([frame.across, frame.down], axis=1))
    across, down = np.tensordot(base, np.stack([columns - frame.eyes[0], rows - frame.eyes[1]]), axes=1)
    factor = 1.08 - 0.28 * np.clip(np.abs(across - frame.turn * 0.5), 0, 1.3) ** 2
    for fold in range(style.folds):
        height_of = 0.75 + 0.3 * fold + random.normal(0, 0.02)
        factor -= 0.16 * np.exp(-(((down - height_of) / 0.035) ** 2))
    if style.ridge:
        factor -= 0.18 * np.exp(-(((across - frame.turn * 0.8) / 0.04) ** 2))
    if style.pattern:
        pitch = random.uniform(4, 14)
        factor *= 1 + style.pattern * np.sign(np.sin(across * pitch) * np.sin(down * pitch))
    return np.asarray(factor)


def _straps(
    picture: npt.NDArray[np.float64], frame: FaceFrame, edge: Points, style: MaskStyle, scale: float
) -> npt.NDArray[np.float64]:
    """Draw the ear loops from the mask's sides to the ears."""
    colour = tuple(float(0.9 * value) for value in style.colour)
    for side in (-1, 1):
        corners = edge[np.argsort(-side * edge[:, 0])[:2]]
        ears = np.array([[side * 1.22, 0.1], [side * 1.22, 0.62]])
        for corner, ear in zip(corners[np.argsort(corners[:, 1])], ears, strict=True):
            ends = np.round(frame.points(np.stack([corner, ear])) * 16).astype(np.int32)
            picture = np.ascontiguousarray(picture)
            thick = max(1, round(0.03 * scale))
            cv2.line(picture, ends[0].tolist(), ends[1].tolist(), colour, thick, cv2.LINE_AA, shift=4)
    return picture
