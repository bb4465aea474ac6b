"""What one Pascal VOC annotation file says, and the box of each object: as written, or the one around its polygon."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from maskdet.datasets.photos.photo import MendKind


@dataclass(frozen=True, slots=True)
class VocObject:
    """One ``<object>`` as written, its box unchecked except for being finite numbers.

    Attributes:
        name: the class name, blanks at its ends removed.
        line: where the object starts in its file, 1-based.
        difficult: it is marked as hard to tell.
        outline: what the box was put around where it is not written as such (a polygon, a turned box), else None.
    """

    name: str
    box: tuple[float, float, float, float]
    line: int
    difficult: bool = False
    outline: str | None = None


class Notice(NamedTuple):
    """Something to be said of a file: its kind, in words, and the line (None for the file as a whole)."""

    kind: MendKind
    detail: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class VocAnnotation:
    """One annotation file.

    Attributes:
        filename: the text of ``<filename>``; None where it is missing or empty.
        size: width, height in pixels from ``<size>``; None where it is missing or no size of a picture.
        objects: the boxes in the file's order; empty for a background picture.
        notices: what was passed over or put right while reading.
    """

    path: Path
    filename: str | None
    size: tuple[int, int] | None
    objects: tuple[VocObject, ...]
    notices: tuple[Notice, ...] = ()


Box = tuple[float, float, float, float]

CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
#: Elements that hold an outline; ``bndbox`` is one where some tools write the points of a turned box into it.
_OUTLINES: Final = frozenset({"polygon", "robndbox", "bndbox", "segmentation", "polyline"})
#: Elements whose boxes are not those of the object.
_ELSEWHERE: Final = frozenset({"part", "attributes", "object"})
_POINT: Final = re.compile(r"(?:pt_?|point_?)?([xy])_?\d*")
#: With three digits behind it a comma may as well stand for thousands.
_COMMA: Final = re.compile(r"\s*([+-]?\d+),(\d{1,2}|\d{4,})\s*")


class FoundBox(NamedTuple):
    """A box, and what it was put around where it is not written as such."""

    box: Box
    outline: str | None = None


def number(text: str | None) -> float:
    """Return the number in an element's text; NaN where there is none, so that one check finds every fault.

    >>> number(" 12,5 "), number("12,500"), number("1_0")
    (12.5, nan, nan)
    """
    text = text or ""
    try:
        value = float(text)
    except ValueError:
        comma = _COMMA.fullmatch(text)
        return float(f"{comma[1]}.{comma[2]}") if comma else math.nan
    return math.nan if "_" in text else value


def check_corners(texts: Sequence[str | None]) -> Box:
    """Turn the texts of xmin, ymin, xmax and ymax into a box.

    Raises:
        ValueError: one is no finite number; says which.
    """
    x1, y1, x2, y2 = values = [number(text) for text in texts]
    if not all(map(math.isfinite, values)):
        wrong = ", ".join(f"<{corner}>" for corner, value in zip(CORNERS, values, strict=True) if math.isnan(value))
        raise ValueError(f"{wrong or 'a corner'} is no finite number")
    return x1, y1, x2, y2


def find_box(element: Element) -> FoundBox | None:
    """Return the box of an ``<object>``, its tags in lower case; None where it has neither a box nor an outline.

    Raises:
        ValueError: what should be a coordinate is none.
    """
    inside = list(_inside(element))
    boxes = [one for one in inside if one.tag == "bndbox" and one.find("xmin") is not None]
    if len(boxes) > 1:
        raise ValueError(f"has {len(boxes)} boxes: give each an <object> of its own")
    for box in [one for one in inside if one.tag == "bndbox"] + [element]:
        texts = [box.findtext(corner) for corner in CORNERS]
        if any(text is not None for text in texts):
            return _turned(check_corners(texts), _degrees(element))
    found = [points for one in inside if one.tag in _OUTLINES and (points := _points(one))]
    if not found:
        return None
    what = "turned box" if all(one.tag not in ("polygon", "polyline", "segmentation") for one in inside) else "polygon"
    return FoundBox(_around([point for points in found for point in points]), f"the box around its {what}")


def _inside(element: Element) -> Iterator[Element]:
    """Yield what belongs to an object, at any depth, without its parts."""
    for child in element:
        if child.tag not in _ELSEWHERE:
            yield child
            yield from _inside(child)


def _points(element: Element) -> list[tuple[float, float]]:
    """Return the points of an outline: of a box turned by radians, or listed in one of the usual ways."""
    centre = [element.findtext(name) for name in ("cx", "cy", "w", "h", "angle")]
    if all(text is not None for text in centre):
        return _corners_of(*_finite(centre))
    if element.find("xmin") is not None:
        return []
    if element.tag == "bndbox" and (element.find("width") is not None or element.find("w") is not None):
        raise ValueError("its <bndbox> has a width instead of <xmin>, <ymin>, <xmax>, <ymax>")
    axes: dict[str, list[str | None]] = {"x": [], "y": []}
    for leaf in element.iter():
        axis = _POINT.fullmatch(leaf.tag)
        if axis is not None and not len(leaf):
            axes[axis[1]].append(leaf.text)
    if not axes["x"]:
        listed = re.split(r"[\s;,]+", (element.get("points") or element.findtext("points") or "").strip())
        axes = {"x": [*listed[::2]], "y": [*listed[1::2]]} if len(listed) > 1 else axes
    xs, ys = _finite(axes["x"]), _finite(axes["y"])
    if len(xs) != len(ys):
        raise ValueError("its outline has not as many x as y")
    return list(zip(xs, ys, strict=True))


def _finite(texts: Sequence[str | None]) -> list[float]:
    values = [number(text) for text in texts]
    if not all(map(math.isfinite, values)):
        raise ValueError("a coordinate of its outline is no finite number")
    return values


def _corners_of(x: float, y: float, width: float, height: float, angle: float) -> list[tuple[float, float]]:
    """Return the corners of a box around (x, y), turned by an angle in radians."""
    if abs(angle) > 2 * math.pi + 0.01:
        raise ValueError(f"its angle of {angle:g} is not in radians")
    cos, sin = math.cos(angle), math.sin(angle)
    half = [(sx * width / 2, sy * height / 2) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return [(x + dx * cos - dy * sin, y + dx * sin + dy * cos) for dx, dy in half]


def _degrees(element: Element) -> float:
    """Return by how much CVAT says a box is turned, in degrees."""
    for attribute in element.iterfind("attributes/attribute"):
        if (attribute.findtext("name") or "").strip().lower() == "rotation":
            return _finite([attribute.findtext("value")])[0]
    return 0.0


def _turned(box: Box, degrees: float) -> FoundBox:
    if degrees % 360 == 0:
        return FoundBox(box)
    x1, y1, x2, y2 = box
    points = _corners_of((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, math.radians(degrees % 360))
    return FoundBox(_around(points), f"the box around its box turned by {degrees:g}°")


def _around(points: Sequence[tuple[float, float]]) -> Box:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
