"""COCO: annotations that count as results too, and the categories that they refer to.

Category ids count from 1, as in COCO itself, in ``yolo val save_json`` and in ``maskdet val``: class id + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maskdet.classes import CLASS_NAMES

if TYPE_CHECKING:
    from maskdet.results import MaskResult


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
