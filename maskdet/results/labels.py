"""Label formats: YOLO with its arithmetic between pixels and shares, Pascal VOC, and COCO.

COCO's category ids count from 1, as in COCO itself, in ``yolo val save_json`` and in ``maskdet val``: class id + 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES

if TYPE_CHECKING:
    from maskdet.results import ImageInfo, MaskResult


def to_yolo(boxes: NDArray[np.float64], size: tuple[int, int] | NDArray[np.int32]) -> NDArray[np.float64]:
    """Turn (N, 4) xyxy in pixels into centre x, centre y, width, height as shares of (width, height).

    ``size`` may be (N, 2), of each box's picture.

    >>> to_yolo(np.array([[0.0, 10.0, 20.0, 30.0]]), (40, 80)).tolist()
    [[0.25, 0.25, 0.5, 0.25]]
    """
    scale = np.array(size, dtype=np.float64)
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(low + high) / 2 / scale, (high - low) / scale], axis=1)


def from_yolo(rows: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Turn (N, 4) centre x, centre y, width, height as shares of ``size`` into (N, 4) xyxy in pixels; not clipped.

    >>> from_yolo(np.array([[0.25, 0.25, 0.5, 0.25]]), (40, 80)).tolist()
    [[0.0, 10.0, 20.0, 30.0]]
    """
    scale = np.array(size, dtype=np.float64)
    centre, side = rows[:, :2] * scale, rows[:, 2:] * scale
    return np.concatenate([centre - side / 2, centre + side / 2], axis=1)


def format_labels(class_ids: NDArray[np.int64], rows: NDArray[np.float64]) -> str:
    """Return a label file's text: ``class cx cy w h`` a line, (N,) int64 and (N, 4) shares with 6 decimals."""
    return "".join(label_lines(class_ids, rows))


def label_lines(class_ids: NDArray[np.int64], rows: NDArray[np.float64]) -> list[str]:
    """Return the lines of ``format_labels``, each with its end."""
    pairs = zip(class_ids.tolist(), rows.tolist(), strict=True)
    return [f"{index} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for index, (x, y, w, h) in pairs]


def to_lines(result: MaskResult, *, confidence: bool) -> str:
    """Return the text of a label file; see ``MaskResult.to_yolo``."""
    shares = to_yolo(result.boxes.astype(np.float64), (result.image.width, result.image.height))
    text = format_labels(result.class_ids, shares)
    if not confidence:
        return text
    pairs = zip(text.splitlines(), result.confidences.tolist(), strict=True)
    return "".join(f"{line} {value:.6f}\n" for line, value in pairs)


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
    """Round the two edges of a box along one axis, up to ``limit`` pixels, without letting a thin box lose its area.

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


def categories(names: Sequence[str] = CLASS_NAMES) -> list[dict[str, Any]]:
    """Return the ``categories`` of a COCO file: ids from 1 on in class order."""
    return [{"id": index, "name": name, "supercategory": "face"} for index, name in enumerate(names, 1)]


def to_annotations(result: MaskResult, image_id: int, first_id: int) -> list[dict[str, Any]]:
    """Return one annotation a face; see ``MaskResult.to_coco``."""
    entries = []
    for number, face in enumerate(result.faces, first_id):
        entry = face.to_dict()
        box = entry["box"]
        # Taken from the rounded corners, so that x + width is the right edge of the JSON again.
        width, height = round(box["x2"] - box["x1"], 2), round(box["y2"] - box["y1"], 2)
        annotation: dict[str, Any] = {
            "id": number,
            "image_id": image_id,
            "category_id": face.class_id + 1,
            "bbox": [box["x1"], box["y1"], width, height],
            "area": round(width * height, 4),
            "iscrowd": 0,
            "score": entry["confidence"],
        }
        if face.track_id is not None:
            annotation["track_id"] = face.track_id
        entries.append(annotation)
    return entries
