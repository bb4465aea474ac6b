"""Make the example pictures from scikit-image's ``astronaut`` (Eileen Collins, NASA, public domain).

Needs the wheel of scikit-image only for that one file::

    pip download --no-deps scikit-image && unzip -o scikit_image*.whl skimage/data/astronaut.png
    python examples/make_examples.py skimage/data/astronaut.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

HERE = Path(__file__).resolve().parent
Picture = npt.NDArray[np.uint8]

#: Outline of a surgical mask on the 512 px portrait, x and y in pixels, clockwise from the left ear.
MASK = [
    (184, 118),
    (205, 112),
    (222, 108),
    (240, 110),
    (262, 118),
    (261, 142),
    (250, 163),
    (228, 172),
    (206, 166),
    (190, 146),
]
#: The same mask folded down to the chin, so that nose and mouth are free.
CHIN_MASK = [(x, round(148 + (y - 106) * 0.8)) for x, y in MASK]


def put_on(portrait: Picture, outline: list[tuple[int, int]]) -> Picture:
    """Return the portrait with a pale-blue mask painted over ``outline``, shaded by the face beneath."""
    picture = portrait.copy()
    points = np.array(outline, np.int32)
    alpha = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(alpha, [points], 255, cv2.LINE_AA)
    weight = cv2.GaussianBlur(alpha, (0, 0), 1.2)[:, :, None] / 255
    light = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 9)[:, :, None] / 255
    cloth = np.array([222, 200, 168]) * (0.62 + 0.5 * light)
    left, right = points[:, 0].min(), points[:, 0].max()
    for fraction in (0.35, 0.55, 0.75):  # the folds
        row = int(points[:, 1].min() + fraction * np.ptp(points[:, 1]))
        cloth[row - 1 : row + 1, left:right] *= 0.9
    return np.clip(picture * (1 - weight) + cloth * weight, 0, 255).astype(np.uint8)


def main(source: str) -> None:
    """Write ``astronaut.jpg`` and ``crew.jpg`` beside this file."""
    portrait = cv2.imread(source, cv2.IMREAD_COLOR)
    if portrait is None:
        sys.exit(f"error: {source}: not a picture")
    portrait = np.asarray(portrait, np.uint8)
    cv2.imwrite(str(HERE / "astronaut.jpg"), portrait, [cv2.IMWRITE_JPEG_QUALITY, 90])
    people = [
        portrait,
        put_on(portrait, MASK),
        put_on(portrait, CHIN_MASK),
        put_on(portrait[:, ::-1], [(511 - x, y) for x, y in MASK]),
    ]
    crew = np.hstack([cv2.resize(one[:380, 60:400], (255, 285), interpolation=cv2.INTER_AREA) for one in people])
    cv2.imwrite(str(HERE / "crew.jpg"), crew, [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "skimage/data/astronaut.png")
