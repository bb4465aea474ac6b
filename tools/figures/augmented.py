"""Test-time augmentation: the same figures with ``--augment``, reported apart."""

from __future__ import annotations

from typing import Any

from figures.cells import signed, spread, with_interval


def folds_augmented(report: dict[str, Any]) -> str:
    """Return a paragraph on the grouped folds."""
    ap = report["sets"]["all"]["ap"]
    rare = spread(ap["ap50"]["all"]["mask_weared_incorrect"])
    f1 = report["sets"]["all"]["point"]["f1"]["mean"]["value"]
    return f"""The folds with `--augment` (each photo also mirrored and smaller, 3.4 times the work): mAP50 {spread(ap["ap50"]["all"]["mean"])}, mAP50-95
{spread(ap["ap50_95"]["all"]["mean"])}, incorrect AP50 {rare}, F1 {f1:.3f}, by
`{report["command"]}`.
"""


def public_augmented(report: dict[str, Any]) -> str:
    """Return a paragraph on the public split."""
    rows = report["ap"]["all"]
    return f"""The public split with `--augment`: mAP50 {with_interval(rows["mean"]["ap50"])}, mAP50-95 {with_interval(rows["mean"]["ap50_95"])},
incorrect AP50 {with_interval(rows["mask_weared_incorrect"]["ap50"])}, by `{report["command"]}`.
"""


def chain_augmented(report: dict[str, Any]) -> str:
    """Return a paragraph on detector and classifier chained, on the grouped folds."""
    ap, gain = report["ap"]["chain"], report["ap_gain"]["shipped"]["ap50"]["all"]["mean"]
    rare = spread(ap["ap50"]["all"]["mask_weared_incorrect"])
    return f"""The chain with `--augment`, the most accurate on these folds: mAP50 {spread(ap["ap50"]["all"]["mean"])}, mAP50-95
{spread(ap["ap50_95"]["all"]["mean"])}, incorrect AP50 {rare} (of which the chain gains {signed(gain)} mAP50), by
`{report["command"]}`.
"""
