"""The reliability diagram: the share of detections that are right, over their confidence, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.extras import require
from maskdet.statistics.calibration_error import BINS, reliability


def reliability_diagram(
    panels: Sequence[tuple[str, npt.NDArray[np.float64]]], right: npt.NDArray[np.bool_], *, least: float
) -> Any:
    """Draw one panel for each set of confidences: bars of the share right, the diagonal, and how many are in each bin.

    Args:
        panels: (title, (N,) float64 confidences) each.
        right: (N,) bool.
        least: detections at or below this confidence are left out.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    module = require("matplotlib.figure", what="the reliability diagram", extra="plots")
    figure = module.Figure(figsize=(4.6 * len(panels), 5.0), layout="constrained")
    axes = figure.subplots(2, len(panels), sharex=True, squeeze=False, height_ratios=(3, 1))
    for column, (title, confidences) in enumerate(panels):
        above = confidences > least
        table = reliability(confidences[above], right[above])
        upper, lower = axes[:, column]
        for number, one in enumerate(table):
            if one is None:
                continue
            middle = (number + 0.5) / BINS
            upper.bar(middle, one.right, 0.9 / BINS, color="#4878a8")
            upper.plot([middle - 0.45 / BINS, middle + 0.45 / BINS], [one.confidence] * 2, color="#c03020", linewidth=2)
            lower.bar(middle, one.count, 0.9 / BINS, color="#888888")
        upper.plot([0, 1], [0, 1], color="black", linewidth=1, linestyle=":")
        upper.set(xlim=(0, 1), ylim=(0, 1), title=title)
        lower.set(xlabel="confidence", yscale="log")
    axes[0, 0].set_ylabel("share right (blue), mean confidence (red)")
    axes[1, 0].set_ylabel("detections")
    return figure
