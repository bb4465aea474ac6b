"""Drawing: boxes and labels on a picture, sized to the picture, and how Jupyter shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES, colour_of
from maskdet.results import Face

if TYPE_CHECKING:
    from maskdet.results import MaskResult

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
    """Write ASCII ``text`` above the box whose (left, top, bottom) is ``corner``, or below it, where it fits.

    With ``below`` it is below the box, or above its lower edge at the picture's. Returns where the label ends, in
    pixels.
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


#: Longer side of the picture that is shown, in pixels: notebooks keep what they show.
MAX_SIDE: Final = 1024


def to_png(result: MaskResult) -> bytes | None:
    """Return the annotated picture as PNG, no larger than ``MAX_SIDE``, or None where the result does not hold it."""
    return _encode(result, ".png")


def to_html(result: MaskResult) -> str:
    """Return the annotated picture, if the result holds it, and a line with its name and what was found."""
    import base64  # which drawing on a picture does without

    data = _encode(result, ".jpg")
    parts = []
    if data is not None:
        picture = base64.b64encode(data).decode()
        parts.append(f'<img src="data:image/jpeg;base64,{picture}" style="max-width: 100%" alt="faces with boxes">')
    image = result.image
    name = "array" if image.path is None else _escape(image.path)
    frame = "" if image.frame is None else f", frame {image.frame}"
    counts = ", ".join(f"{_escape(label)} {count}" for label, count in result.counts.items())
    share = "" if result.compliance is None else f", compliance {result.compliance:.0%}"
    parts.append(f"<div><b>{name}</b>{frame} ({image.width}×{image.height}): {counts}{share}</div>")
    return "".join(parts)


def _encode(result: MaskResult, ending: str) -> bytes | None:
    if result.pixels is None:
        return None
    picture = result.plot()
    scale = MAX_SIDE / max(picture.shape[:2])
    if scale < 1:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    data: bytes = cv2.imencode(ending, picture)[1].tobytes()
    return data


def _escape(text: str) -> str:
    """Return text that a page shows as it is: no markup, no control characters."""
    import html

    return html.escape("".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text))
