"""Tiling, for small faces."""

from __future__ import annotations

from typing import Any

from maskdet.classes import CLASS_NAMES


def tiling(report: dict[str, Any]) -> str:
    """Return the table of the tiling benchmark."""
    rows = []
    for way, row in report["ways"].items():
        ap = [row["ap50"][name] for name in CLASS_NAMES]
        cells = [*ap, *(row[key] for key in ("map50", "precision", "recall", "recall_small"))]
        rows.append(f"| {way} | {' | '.join(f'{cell:.3f}' for cell in cells)} | {row['cpu_seconds']:.2f} |")
    width, height = report["size"]
    return f"""AP50 on {report["pictures"]} mosaics of {width}×{height} pixels, laid together from the {report["photos"]} held-out photos of the public split
({sum(report["faces"].values())} faces, {report["small_faces"]} of them under 16 px, median {report["median_side"]:.0f} px), `{report["model"]["name"]}`, one thread, by
`{report["command"]}`. Precision and recall are at confidence {report["conf"]} and IoU 0.5. Only
{report["faces"]["mask_weared_incorrect"]} faces wear the mask wrongly.

| | with_mask | without_mask | incorrect | mAP50 | precision | recall | recall under 16 px | CPU s a picture |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""
