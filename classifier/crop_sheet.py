"""One picture that shows at a glance whether each class's crops show what the class says."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_COLOURS, CLASS_NAMES

_COLUMNS, _ROWS = 16, 3
_TILE, _GAP, _TITLE = 80, 4, 22
_PAPER = 245


def choose_crops(class_ids: Sequence[int], count: int = _COLUMNS * _ROWS) -> list[int]:
    """Choose crops of every class, spread evenly over all of that class.

    Args:
        class_ids: of all crops.
        count: how many to choose of each class at most.

    Returns:
        Their places in ``class_ids``, rising.

    >>> choose_crops([0, 0, 0, 0, 2], count=2)
    [0, 2, 4]
    """
    chosen = []
    for class_id in set(class_ids):
        places = [at for at, other in enumerate(class_ids) if other == class_id]
        number = min(count, len(places))
        chosen += [places[at * len(places) // number] for at in range(number)]
    return sorted(chosen)


def draw_crops(crops: Sequence[tuple[int, NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Draw crops class by class under the class's name, each as large as its tile allows.

    Args:
        crops: (class id, (h, w, 3) uint8 BGR), at least one.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    parts = []
    for class_id in sorted({class_id for class_id, _ in crops}):
        parts += [_title(class_id), _tiles([pixels for other, pixels in crops if other == class_id])]
    return np.concatenate(parts)


def _title(class_id: int) -> NDArray[np.uint8]:
    bar = np.full((_TITLE, _COLUMNS * (_TILE + _GAP), 3), _PAPER, dtype=np.uint8)
    cv2.rectangle(bar, (2, 5), (14, 17), CLASS_COLOURS[class_id], cv2.FILLED)
    cv2.putText(bar, CLASS_NAMES[class_id], (20, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return bar


def _tiles(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    pitch = _TILE + _GAP
    sheet = np.full((-(-len(crops) // _COLUMNS) * pitch, _COLUMNS * pitch, 3), _PAPER, dtype=np.uint8)
    for at, pixels in enumerate(crops):
        scale = _TILE / max(pixels.shape[:2])
        width, height = (max(round(length * scale), 1) for length in (pixels.shape[1], pixels.shape[0]))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        top, left = at // _COLUMNS * pitch, at % _COLUMNS * pitch
        sheet[top : top + height, left : left + width] = cv2.resize(pixels, (width, height), interpolation=method)
    return sheet
