"""Which pixels make up a face's crop, and cutting them out of a picture: numbers and pixels only."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

#: Wider margins leave a face a few pixels in its crop.
MAX_MARGIN: Final = 5.0

#: A margin works in fractions of a side, and 0.1 · 30 is 3.0000000000000004: less than this is not another pixel.
_DIGITS = 6


def crop_windows(
    boxes: NDArray[np.float64], size: tuple[int, int], *, margin: float = 0.0, square: bool = False
) -> NDArray[np.int64]:
    """Return the window of whole pixels that each of (N, 4) xyxy boxes with an area inside the picture is cut with.

    A plain window covers every pixel that its box touches and ends at the picture's edge. A square one has the box's
    centre and its longer side, and may reach over the edge, so that the face stays centred and undistorted. ``margin``
    is added on every side, as a fraction of the box's side (of its longer side where square). ``size`` is width,
    height.

    Returns:
        (N, 4) int64 xyxy in pixels, x2 and y2 exclusive; at least 1×1, and at least one pixel inside the picture.

    >>> box = np.array([[10.0, 20.0, 30.0, 60.0]])
    >>> crop_windows(box, (100, 65)).tolist()
    [[10, 20, 30, 60]]
    >>> crop_windows(box, (100, 65), margin=0.25).tolist()
    [[5, 10, 35, 65]]
    >>> crop_windows(box, (100, 65), margin=0.25, square=True).tolist()
    [[-10, 10, 50, 70]]
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    edge = np.array(size, dtype=np.int64)
    if square:
        longer = (high - low).max(axis=1, keepdims=True) * (1 + 2 * margin)
        side = np.maximum(np.ceil(np.round(longer, _DIGITS)), 1).astype(np.int64)
        start = np.floor(np.round((low + high - side + 1) / 2, _DIGITS)).astype(np.int64)
        start = np.clip(start, 1 - side, edge - 1)
        return np.concatenate([start, start + side], axis=1)
    reach = (high - low) * margin
    first = np.floor(np.round(low - reach, _DIGITS)).astype(np.int64)
    last = np.ceil(np.round(high + reach, _DIGITS)).astype(np.int64)
    first = np.clip(first, 0, edge - 1)
    last = np.clip(last, first + 1, edge)
    return np.concatenate([first, last], axis=1)


def cut(image: NDArray[np.uint8], window: NDArray[np.int64], side: int | None = None) -> NDArray[np.uint8]:
    """Cut a window, (4,) xyxy as ``crop_windows`` gives it, out of (H, W, 3) uint8 BGR; resize it to ``side``.

    What lies outside repeats the picture's edge. The crop has its own memory.

    >>> image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    >>> cut(image, np.array([1, 0, 3, 4])).shape, cut(image, np.array([-2, -1, 4, 5]), 8).shape
    ((4, 2, 3), (8, 8, 3))
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = window.tolist()
    left, top, right, bottom = max(-x1, 0), max(-y1, 0), max(x2 - width, 0), max(y2 - height, 0)
    inner = image[y1 + top : y2 - bottom, x1 + left : x2 - right]
    if left or top or right or bottom:
        inner = cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_REPLICATE).astype(np.uint8)
    if side is None or inner.shape[:2] == (side, side):
        return inner.copy()
    return _resize(inner, (side, side))


def fit_whole(image: NDArray[np.uint8], side: int, *, square: bool = False) -> NDArray[np.uint8]:
    """Bring a picture that already is a crop, (h, w, 3) uint8 BGR from 1×1, to a network's input of ``side`` pixels.

    The same pixels as ``cut`` gives of a window that is the whole picture where that is square or may be stretched. To
    a square, proportions are kept, the picture in the middle and its edge repeated beside it.

    >>> wide = np.array([[[1, 1, 1], [9, 9, 9]]], dtype=np.uint8)
    >>> fit_whole(wide, 4, square=True)[:, :, 0].tolist() == fit_whole(wide, 4)[:, :, 0].tolist()
    True
    """
    height, width = image.shape[:2]
    if square:
        # Shrunk before the edge is repeated: a picture of 1×100,000 must not become 100,000 × 100,000.
        scale = side / max(height, width)
        height, width = max(round(height * scale), 1), max(round(width * scale), 1)
    else:
        height = width = side
    fitted = image.copy() if image.shape[:2] == (height, width) else _resize(image, (width, height))
    top, left = (side - height) // 2, (side - width) // 2
    if (height, width) == (side, side):
        return fitted
    bordered: NDArray[np.uint8] = cv2.copyMakeBorder(
        fitted, top, side - height - top, left, side - width - left, cv2.BORDER_REPLICATE
    )
    return bordered


def _resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    # Averaging over areas keeps shrunk faces free of moiré; it has nothing to average where they grow.
    shrinks = image.shape[1] >= size[0] and image.shape[0] >= size[1]
    resized: NDArray[np.uint8] = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized
