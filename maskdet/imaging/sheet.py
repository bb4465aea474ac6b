"""Laying small pictures out in rows: one sheet to look through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

#: Tiles in a row, pixels between them, and the grey of the paper.
COLUMNS: Final = 10
GAP: Final = 6
PAPER: Final = 245


def draw_sheet(tiles: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Lay tiles, (h, w, 3) uint8 BGR of one size, out in rows, in the order given: (H, W, 3) uint8 BGR.

    >>> draw_sheet([np.zeros((10, 20, 3), np.uint8)] * 12).shape
    (38, 266, 3)
    """
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    height, width = tiles[0].shape[0] + GAP, tiles[0].shape[1] + GAP
    sheet: npt.NDArray[np.uint8] = np.full((rows * height + GAP, columns * width + GAP, 3), PAPER, dtype=np.uint8)
    for at, tile in enumerate(tiles):
        top, left = GAP + at // columns * height, GAP + at % columns * width
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet
