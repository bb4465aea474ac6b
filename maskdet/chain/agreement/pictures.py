"""Pictures of disagreements: whole photos with both answers, and one sheet of the faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.chain.agreement.match import agrees
from maskdet.classes import CLASS_COLOURS, CLASS_NAMES
from maskdet.imaging.sheet import PAPER
from maskdet.results import Face
from maskdet.results.draw import SHORT_NAMES, draw_label

_Image = npt.NDArray[np.uint8]

#: A tile of the sheet: the side of a face and the height of its two lines in pixels.
TILE: Final = 128
_LINE: Final = 17
#: A face is shown with so much of what is around it, as a share of its sides.
_MARGIN: Final = 0.25


def draw_disagreements(image: _Image, faces: Sequence[Face]) -> _Image:
    """Return a copy of (H, W, 3) uint8 BGR: two answers on a face in two boxes, one within the other.

    The detector's colour and label are outside and above, the classifier's inside and below. Faces of which both say
    the same get one thin line and no label.
    """
    canvas = image.copy()
    short_side = min(image.shape[:2])
    thickness, scale = max(1, round(short_side / 300)), max(0.35, min(short_side / 900, 1.4))
    for face in faces:
        if agrees(face):
            first, second = _corners(face)
            cv2.rectangle(canvas, first, second, CLASS_COLOURS[face.class_id], 1)
    for face in reversed(faces):
        if agrees(face):
            continue
        (x1, y1), (x2, y2) = _corners(face)
        other, sure = second_answer(face)
        outer, inner = CLASS_COLOURS[face.class_id], CLASS_COLOURS[other]
        cv2.rectangle(canvas, (x1 - thickness, y1 - thickness), (x2 + thickness, y2 + thickness), outer, thickness)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), inner, thickness)
        above = f"D {SHORT_NAMES[face.class_id]} {face.confidence:.2f}"
        end = draw_label(canvas, above, (x1, y1 - thickness, y2 + thickness), outer, scale)
        # At the picture's upper edge the first label is below the box already: the second comes after it.
        bottom = max(end, y2 + thickness)
        draw_label(canvas, f"C {SHORT_NAMES[other]} {sure:.2f}", (x1, y1, bottom), inner, scale, below=True)
    return canvas


def second_answer(face: Face) -> tuple[int, float]:
    """Return the classifier's class id and its confidence."""
    answer = face.classifier or {}
    return CLASS_NAMES.index(answer["name"]), float(answer["confidence"])


def draw_tile(image: _Image, face: Face) -> _Image:
    """Cut a face out with its surroundings and write both answers below.

    Args:
        image: (H, W, 3) uint8 BGR.
        face: its box lies inside the picture.

    Returns:
        (TILE + two lines, TILE, 3) uint8 BGR.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = face.box
    margin = max(x2 - x1, y2 - y1) * _MARGIN
    left, upper = max(0, round(x1 - margin)), max(0, round(y1 - margin))
    right, lower = min(width, max(left + 1, round(x2 + margin))), min(height, max(upper + 1, round(y2 + margin)))
    crop = image[min(upper, height - 1) : lower, min(left, width - 1) : right]
    scale = TILE / max(crop.shape[:2])
    size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
    tile: _Image = np.full((TILE + 2 * _LINE, TILE, 3), PAPER, dtype=np.uint8)
    shrinks = scale < 1
    tile[: size[1], : size[0]] = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    other, sure = second_answer(face)
    for line, (letter, class_id, confidence) in enumerate((("D", face.class_id, face.confidence), ("C", other, sure))):
        top = TILE + line * _LINE
        cv2.rectangle(tile, (0, top + 2), (5, top + _LINE - 2), CLASS_COLOURS[class_id], cv2.FILLED)
        text = f"{letter} {SHORT_NAMES[class_id]} {confidence:.2f}"
        cv2.putText(tile, text, (9, top + _LINE - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (30, 30, 30), 1, cv2.LINE_AA)
    return tile


def _corners(face: Face) -> tuple[tuple[int, int], tuple[int, int]]:
    x1, y1, x2, y2 = (round(value) for value in face.box)
    return (x1, y1), (x2, y2)
