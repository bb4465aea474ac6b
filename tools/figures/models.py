"""The shipped detectors side by side."""

from __future__ import annotations

import json
from typing import Any

from figures.cells import with_interval
from figures.elsewhere import elsewhere
from figures.near_training import without_either
from maskdet.weights import FOLDER


def models(registry: dict[str, Any]) -> str:
    """Return a row a detector of ``weights/models.json``: size of its file, and the figures of its report."""
    rows = []
    for name, entry in registry["models"].items():
        if entry["task"] != "detect":
            continue
        report = json.loads((FOLDER / entry["figures"]["report"]).read_text(encoding="utf-8"))
        size = (FOLDER / entry["file"]).stat().st_size / 1e6
        measured = entry["figures"].get("of", "the 170 photos held out")
        cells = " | ".join(map(with_interval, _figures(report)))
        cells += f" | {without_either(report)}"
        foreign = elsewhere(report["model"]["name"])
        cells += f" | {with_interval(foreign['ap']['all']['mean']['ap50']) if foreign else '–'}"
        rows.append(f"| [{name}](weights/{name}.md) | {entry['network']}, {size:.1f} MB | {measured} | {cells} |")
    return f"""| model | network | measured on | mAP50 | mAP50-95 | incorrect AP50 | mAP50 without near photos | mAP50 elsewhere |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

In brackets the 95 % interval; near photos are those of the public split that [resemble trained ones](docs/accuracy.md#the-public-split),
elsewhere the photos of [sources left out](docs/results.md#sources-left-out-all-photos), never trained on, though choices were made on them.
By `maskdet val model=NAME data=public/data.yaml --near-copies` on the public split, the folds by `maskdet val data=folds
'model=fold{{fold}}.onnx' --folds`; the default is `{registry["default"]["detect"]}`; each card says which photos it has learnt from.
"""


def _figures(report: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return mAP50, mAP50-95 and the rare class's AP50 of a report of ``maskdet val``, with or without ``--folds``."""
    if "sets" in report:
        ap = report["sets"]["all"]["ap"]
        return ap["ap50"]["all"]["mean"], ap["ap50_95"]["all"]["mean"], ap["ap50"]["all"]["mask_weared_incorrect"]
    rows = report["ap"]["all"]
    return rows["mean"]["ap50"], rows["mean"]["ap50_95"], rows["mask_weared_incorrect"]["ap50"]
