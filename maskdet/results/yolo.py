"""YOLO: one line a face, as ``yolo predict save_txt`` writes them, and the arithmetic between pixels and shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from maskdet.results import MaskResult


def to_yolo(boxes: NDArray[np.float64], size: tuple[int, int] | NDArray[np.int32]) -> NDArray[np.float64]:
    """Turn (N, 4) xyxy in pixels into (N, 4) centre x, centre y, width, height as shares of ``size``.

    Args:
        boxes: (N, 4) float64 xyxy in pixels.
        size: width and height in pixels of the picture, or (N, 2) of each box's picture.

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
    """Write a label file's text: ``class cx cy w h`` a line, shares with 6 decimals.

    Args:
        class_ids: (N,) int64.
        rows: (N, 4) float64 centre x, centre y, width, height, 0–1.
    """
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
