"""Tiling: a large picture seen in overlapping pieces, so that small faces reach the network at a size it knows.

The pieces (tiles) and the whole picture are each detected in, and the answers put together: the whole picture finds the
faces too large for a tile, the tiles those too small for the whole. A face in an overlap is found twice, and one on a
border is cut; ``merge_views`` brings both down to one box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.detector.postprocess import Detections, box_iou, non_maximum_suppression

#: Share of a tile that its neighbour sees too.
DEFAULT_OVERLAP: Final = 0.2


def tile_starts(length: int, size: int, overlap: float) -> list[int]:
    """Place tiles along one side of a picture, evenly, with as few tiles as the overlap allows.

    Args:
        length: the picture's side, pixels, at least 1.
        size: a tile's side, pixels, at least 1.
        overlap: least share of a tile that it has in common with the next, 0 to less than 1.

    Returns:
        First pixel of each tile; the last tile ends where the picture does. One 0 where the picture is no longer than
        a tile.

    >>> tile_starts(1000, 400, 0.2)
    [0, 300, 600]
    """
    if length <= size:
        return [0]
    step = max(size - int(np.ceil(size * overlap)), 1)
    count = -(-(length - size) // step)
    return [index * (length - size) // count for index in range(count + 1)]


def tile_grid(height: int, width: int, size: int, overlap: float = DEFAULT_OVERLAP) -> npt.NDArray[np.int64]:
    """Cover a picture with tiles.

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.
        size: a tile's side, pixels; a side of the picture that is shorter is taken whole.
        overlap: least share of a tile that it has in common with the next, 0 to less than 1.

    Returns:
        (N, 4) int64, xyxy in pixels of the picture, row by row.

    Raises:
        ValueError: a size below 1, or an overlap outside 0 to less than 1.

    >>> tile_grid(400, 600, 400, 0.5).tolist()
    [[0, 0, 400, 400], [200, 0, 600, 400]]
    """
    if size < 1 or not 0 <= overlap < 1:
        raise ValueError(f"a tile needs a size of 1 or more and an overlap from 0 to less than 1: {size}, {overlap}")
    return np.array(
        [
            (left, top, min(left + size, width), min(top + size, height))
            for top in tile_starts(height, size, overlap)
            for left in tile_starts(width, size, overlap)
        ],
        dtype=np.int64,
    )
