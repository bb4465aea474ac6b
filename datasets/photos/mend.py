"""Mending boxes: pure arithmetic on arrays, for all boxes of a data set at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: A side below this share of the picture's is written as 0.000000, so the box counts as empty.
MIN_SHARE = 5e-7


@dataclass(frozen=True, slots=True, eq=False)
class MendedBoxes:
    """Boxes after mending, and what was wrong with each.

    Attributes:
        boxes: (N, 4) float64 xyxy, corners in order, inside the picture.
        swapped: (N,) bool, corners were in the wrong order.
        clipped: (N,) bool, the box reached over the edge.
        empty: (N,) bool, no area is left: to be dropped.
    """

    boxes: NDArray[np.float64]
    swapped: NDArray[np.bool_]
    clipped: NDArray[np.bool_]
    empty: NDArray[np.bool_]


def mend_boxes(boxes: NDArray[np.float64], sizes: NDArray[np.float64]) -> MendedBoxes:
    """Order the corners of (N, 4) boxes, clip them to pictures of (N, 2) width and height, and find those without area.

    >>> mended = mend_boxes(np.array([[30.0, 5.0, 10.0, 99.0]]), np.array([[40.0, 50.0]]))
    >>> mended.boxes.tolist(), bool(mended.swapped[0]), bool(mended.clipped[0])
    ([[10.0, 5.0, 30.0, 50.0]], True, True)
    """
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    swapped = np.any(boxes[:, :2] > boxes[:, 2:], axis=1)
    ordered = np.concatenate([low, high], axis=1)
    inside = np.clip(ordered, 0.0, np.tile(sizes, 2))
    clipped = np.any(inside != ordered, axis=1)
    empty = np.any(inside[:, 2:] - inside[:, :2] < MIN_SHARE * sizes, axis=1)
    return MendedBoxes(inside, swapped, clipped, empty)


def find_repeated(keys: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark every of (N, K) rows that already stands further up; for boxes: photo, class, x1, y1, x2, y2.

    >>> find_repeated(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])).tolist()
    [False, False, True]
    """
    repeated = np.ones(len(keys), dtype=bool)
    if len(keys):
        _, first = np.unique(keys, axis=0, return_index=True)
        repeated[first] = False
    return repeated


def below_a_pixel(boxes: NDArray[np.float64], sizes: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the (N, 4) boxes less than a pixel wide or high in (N, 2) or (1, 2) sizes, not by six decimals.

    >>> below_a_pixel(np.array([[1.0, 1, 2, 2], [1, 1, 1.9, 9]]), np.array([[96, 64]])).tolist()
    [False, True]
    """
    return np.asarray((boxes[:, 2:] - boxes[:, :2] < 1 - 1.5e-6 * sizes).any(axis=1))


def turn_boxes(boxes: NDArray[np.float64], stored_size: tuple[int, int], orientation: int) -> NDArray[np.float64]:
    """Turn (N, 4) xyxy boxes drawn on a picture as stored, so that they fit it turned upright by EXIF orientation 5–8.

    Only the four orientations that exchange width and height are turned; for the others the annotation's size cannot
    tell on which picture its boxes were drawn, and the upright one is taken.
    """
    width, height = stored_size
    x1, y1, x2, y2 = boxes.T
    columns = {
        5: (y1, x1, y2, x2),
        6: (height - y2, x1, height - y1, x2),
        7: (height - y2, width - x2, height - y1, width - x1),
        8: (y1, width - x2, y2, width - x1),
    }[orientation]
    return np.stack(columns, axis=1)
