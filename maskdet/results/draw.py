"""Drawing: boxes and labels on a picture, sized to the picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES, colour_of
from maskdet.results import Face

#: What a label says: the class names are long, faces are small.
SHORT_NAMES = ("mask", "no mask", "worn wrong")


def short_name(name: str) -> str:
    """Return what a label says of a class: a short name for the three, else the first letters of its own, in ASCII.

    >>> short_name("without_mask"), short_name("hélice")
    ('no mask', 'h?lice')
    """
    if name in CLASS_NAMES:
        return SHORT_NAMES[CLASS_NAMES.index(name)]
    return name.encode("ascii", "replace").decode("ascii")[:24]


def draw_faces(image: npt.NDArray[np.uint8], faces: Sequence[Face]) -> npt.NDArray[np.uint8]:
    """Return a copy of ``image`` (H, W, 3) uint8 BGR with every face boxed and labelled.

    The most confident face is drawn last, so that its label stays readable in a crowd.
    """
    canvas = image.copy()
    short_side = min(image.shape[:2])
    thickness = max(1, round(short_side / 300))
    scale = max(0.35, min(short_side / 900, 1.4))
    for face in reversed(faces):
        colour = colour_of(face.name, face.class_id)
        x1, y1, x2, y2 = (round(value) for value in face.box)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, thickness, cv2.LINE_AA)
        draw_label(canvas, f"{short_name(face.name)} {face.confidence:.2f}", (x1, y1, y2), colour, scale)
    return canvas


def draw_label(
    canvas: npt.NDArray[np.uint8],
    text: str,
    corner: tuple[int, int, int],
    colour: tuple[int, int, int],
    scale: float,
    *,
    below: bool = False,
) -> int:
    """Write ``text`` above the box whose (left, top, bottom) is ``corner``, or below it at the picture's upper edge.

    Args:
        canvas: (H, W, 3) uint8 BGR, written into.
        text: ASCII.
        corner: pixels.
        colour: BGR of its ground.
        scale: size of the letters, as OpenCV counts it.
        below: write it below the box, or above its lower edge at the picture's lower edge.

    Returns:
        Where the label ends below, in pixels.
    """
    font, weight = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(scale * 1.8))
    (width, height), baseline = cv2.getTextSize(text, font, scale, weight)
    left, top, bottom = corner
    left = max(0, min(left, canvas.shape[1] - width - 4))
    full = height + baseline + 4
    upper = top - full if top >= full and not below else min(bottom, canvas.shape[0] - full)
    cv2.rectangle(canvas, (left, upper), (left + width + 4, upper + full), colour, cv2.FILLED)
    # Black on light colours, white on dark ones: luma of BGR after ITU-R BT.601.
    luma = 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]
    ink = (0, 0, 0) if luma > 110 else (255, 255, 255)
    cv2.putText(canvas, text, (left + 2, upper + height + 2), font, scale, ink, weight, cv2.LINE_AA)
    return int(upper + full)
