"""How figures are laid out as a table: the classes and their mean, by the size of the face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.coco_scores import SIZES
from maskdet.detector.val_report import MEAN

#: Rows of average precision: the classes and their mean.
AP_ROWS: Final = (*CLASS_NAMES, MEAN)

T = TypeVar("T")


def ap_rows_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return ``AP_ROWS`` of other classes."""
    return (*names, MEAN)


def by_size(cell: Callable[[int, int], T], rows: Sequence[str] = AP_ROWS) -> dict[str, dict[str, T]]:
    """Return size range -> row -> cell.

    Args:
        cell: makes it, from the index of its row and that of its size range in ``SIZES``.
        rows: what they are called.

    >>> by_size(lambda row, column: 10 * row + column)["<16 px"]
    {'with_mask': 1, 'without_mask': 11, 'mask_weared_incorrect': 21, 'mean': 31}
    """
    return {size: {name: cell(row, column) for row, name in enumerate(rows)} for column, size in enumerate(SIZES)}


def by_iou(ap: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
    """Return ``"ap50"`` and ``"ap50_95"`` of average precision at every IoU threshold.

    Args:
        ap: (…, 10, R, S) float64 by IoU threshold, class and size.

    Returns:
        Two arrays (…, R, S): at IoU 0.5, and the mean over 0.5 to 0.95.
    """
    return {"ap50": ap[..., 0, :, :], "ap50_95": ap.mean(axis=-3)}
