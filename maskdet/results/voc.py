"""Pascal VOC: one XML document a picture."""

from __future__ import annotations

import math
import re
from pathlib import PurePath
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from maskdet.results import ImageInfo, MaskResult

#: What XML 1.0 cannot hold even escaped: control characters and lone surrogates, as odd file names have them.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml(result: MaskResult, *, filename: str | None, decimals: int) -> str:
    """Return the annotation's text; see ``MaskResult.to_voc``."""
    image = result.image
    root = Element("annotation")
    _add(root, "folder", PurePath(image.path).parent.name if image.path else "")
    _add(root, "filename", _default_name(image) if filename is None else filename)
    _add(SubElement(root, "source"), "database", "maskdet")
    size = SubElement(root, "size")
    for tag, number in (("width", image.width), ("height", image.height), ("depth", 3)):
        _add(size, tag, str(number))
    _add(root, "segmented", "0")
    for face in result.faces:
        item = SubElement(root, "object")
        _add(item, "name", face.name)
        _add(item, "pose", "Unspecified")
        for tag in ("truncated", "difficult"):
            _add(item, tag, "0")
        box = SubElement(item, "bndbox")
        left, right = round_edges(face.box[0], face.box[2], image.width, decimals)
        upper, lower = round_edges(face.box[1], face.box[3], image.height, decimals)
        for tag, edge in (("xmin", left), ("ymin", upper), ("xmax", right), ("ymax", lower)):
            _add(box, tag, f"{edge:.{decimals}f}")
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def round_edges(low: float, high: float, limit: int, decimals: int) -> tuple[float, float]:
    """Round the two edges of a box along one axis, without letting a thin box lose its area.

    Args:
        low: left or upper edge, in pixels.
        high: right or lower edge.
        limit: the picture's width or height.
        decimals: decimals kept.

    >>> round_edges(10.4, 20.6, 100, 0)
    (10.0, 21.0)
    >>> round_edges(99.6, 99.9, 100, 0)
    (99.0, 100.0)
    """
    step = 10.0**-decimals
    near = round(float(low), decimals), round(float(high), decimals)
    if near[0] < near[1]:
        return near
    start = min(math.floor(low / step) * step, limit - step)
    return round(start, decimals), round(start + step, decimals)


def _default_name(image: ImageInfo) -> str:
    """Return the picture's bare name: that of its file, or one that numbers the frame of a video."""
    if image.path in (None, "-"):
        return ""
    path = PurePath(str(image.path))
    return path.name if image.frame is None else f"{path.stem}_{image.frame:06d}.jpg"


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = _NOT_XML.sub("_", text)
