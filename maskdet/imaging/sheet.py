"""Laying small pictures out in rows: one sheet to look through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

#: Tiles in a row, pixels between them, and the grey of the paper.
COLUMNS: Final = 10
GAP: Final = 6
PAPER: Final = 245


def fit(
    image: npt.NDArray[np.uint8], size: tuple[int, int], *, enlarge: int = cv2.INTER_LINEAR
) -> npt.NDArray[np.uint8]:
    """Return (h, w, 3) uint8 as large as (width, height) allows; ``enlarge`` is OpenCV's way to make it larger."""
    scale = min(size[0] / image.shape[1], size[1] / image.shape[0])
    width, height = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else enlarge)
    return np.asarray(resized, np.uint8)


def draw_sheet(
    tiles: Sequence[npt.NDArray[np.uint8]],
    *,
    size: tuple[int, int] | None = None,
    columns: int = COLUMNS,
    gap: int = GAP,
    edge: int = GAP,
    whole_rows: bool = False,
) -> npt.NDArray[np.uint8]:
    """Lay tiles, (h, w, 3) uint8 BGR, out in rows, in the order given: (H, W, 3) uint8 BGR.

    ``size`` is the height and width that each gets, by default the first one's; ``edge`` is left free around them.

    >>> draw_sheet([np.zeros((10, 20, 3), np.uint8)] * 12).shape
    (38, 266, 3)
    """
    rows = -(-len(tiles) // columns)
    across = columns if whole_rows else min(columns, len(tiles))
    height, width = (side + gap for side in size or tiles[0].shape[:2])
    sheet = np.full((rows * height + edge, across * width + edge, 3), PAPER, dtype=np.uint8)
    for at, tile in enumerate(tiles):
        top, left = edge + at // columns * height, edge + at % columns * width
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet
