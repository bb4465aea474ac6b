"""Jupyter: a result as it is shown where it is a cell's last value."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from maskdet.results import MaskResult

#: Longer side of the picture that is shown, in pixels: notebooks keep what they show.
MAX_SIDE: Final = 1024


def to_png(result: MaskResult) -> bytes | None:
    """Return the annotated picture as PNG, no larger than ``MAX_SIDE``, or None where the result does not hold it."""
    return _encode(result, ".png")


def to_html(result: MaskResult) -> str:
    """Return the annotated picture, if the result holds it, and a line with its name and what was found."""
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
    return html.escape("".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text))
