"""YOLO: one line a face, as ``yolo predict save_txt`` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from maskdet.results import MaskResult


def to_lines(result: MaskResult, *, confidence: bool) -> str:
    """Return the text of a label file; see ``MaskResult.to_yolo``."""
    from maskdet.datasets.yolo import format_labels, to_yolo

    shares = to_yolo(result.boxes.astype(np.float64), (result.image.width, result.image.height))
    text = format_labels(result.class_ids, shares)
    if not confidence:
        return text
    pairs = zip(text.splitlines(), result.confidences.tolist(), strict=True)
    return "".join(f"{line} {value:.6f}\n" for line, value in pairs)
