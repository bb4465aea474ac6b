"""The shipped detectors side by side."""

from __future__ import annotations

from typing import Any

from figures.cells import without_zero
from maskdet.weights import FOLDER


def models(registry: dict[str, Any]) -> str:
    """Return a row a detector of ``weights/models.json``: size of its file, and the figures of its card."""
    rows = []
    for name, entry in registry["models"].items():
        if entry["task"] != "detect":
            continue
        figures = entry["figures"]
        values = (figures["map50"], figures["map50_95"], figures["ap50"]["mask_weared_incorrect"])
        size = (FOLDER / entry["file"]).stat().st_size / 1e6
        measured = figures.get("of", "the public split's 170 photos held out")
        rows.append(
            f"| [{name}](weights/{name}.md) | {entry['network']} | {entry['gflops']:.1f} | {size:.1f} MB | {measured} | {' | '.join(map(without_zero, values))} |"
        )
    return f"""The shipped detectors, by their cards (`maskdet info` lists them):

| model | network | GFLOPs | file | measured on | mAP50 | mAP50-95 | incorrect AP50 |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""
