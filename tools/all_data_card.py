"""Entry and card of a detector trained on every photo: its figures are those of its recipe over the grouped folds.

No photo is left that such a file has not seen, so nothing that it says of them counts. What stands in its card is the JSON
of ``maskdet val --folds`` on detectors of the same recipe, each on the fold that it has not seen.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from figures.folds import folds
from network_facts import network_facts

from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.detector.inference.thresholds import read_calibration

#: The reports that this module takes.
SCHEMA: Final = "maskdet-folds/1"


def entry_of(name: str, onnx: Path, report: dict[str, Any], train_command: str) -> dict[str, Any]:
    """Return the model's entry in ``models.json``.

    Raises:
        SystemExit: the file is one of those that the report is of, so it has not seen every photo.
    """
    digest = hashlib.sha256(onnx.read_bytes()).hexdigest()
    if digest in {model["sha256"] for model in report["models"]}:
        raise SystemExit(f"error: {onnx} is the detector of one fold: give the one that was trained on all photos")
    spec = OnnxRuntime(onnx, name=name).spec
    calibration = read_calibration(spec.metadata)
    ap = report["sets"]["all"]["ap"]
    photos = sum(report["sets"]["all"]["photos"])
    return {
        "task": "detect",
        "file": f"{name}.onnx",
        "sha256": digest,
        "classes": [row for row in ap["ap50"]["all"] if row != "mean"],
        "imgsz": spec.imgsz,
        **network_facts(onnx, spec),
        **({"calibration": calibration} if calibration else {}),
        "recipe": {"command": train_command, **json.loads(spec.metadata["maskdet_training"])},
        "data": "Face Mask Detection (Kaggle, andrewmvd, CC0), 853 photos",
        "split": f"none: trained on all {photos} photos",
        "figures": {
            "map50": ap["ap50"]["all"]["mean"]["value"],
            "map50_95": ap["ap50_95"]["all"]["mean"]["value"],
            "ap50": {row: figure["value"] for row, figure in ap["ap50"]["all"].items() if row != "mean"},
            "of": f"mean of {report['data']['folds']} folds",
            "report": f"{name}.val.json",
        },
    }


def card_of(name: str, entry: dict[str, Any], report: dict[str, Any], size: int) -> str:
    """Return the model card as Markdown."""
    recipe = ", ".join(f"{key} {value}" for key, value in entry["recipe"].items() if key != "command")
    return f"""# {name}

Finds faces and says how each wears its mask: {", ".join(entry["classes"])}. {entry["network"]}, {entry["gflops"]:.1f} GFLOPs, {size / 1e6:.1f} MB ONNX, input
{entry["imgsz"]} px (any rectangle that is a multiple of 32), sha256 `{entry["sha256"][:16]}…`. AGPL-3.0-or-later.

For use on photos of your own: **it was trained on every photo of the data set, so no figure on these photos says anything of
it**, neither `maskdet val` on the public split nor on a fold. `maskdet-n`, the default, has left out the photos that it is
scored on.

## How it was trained
`{entry["recipe"]["command"]}`

{recipe}. Data: {entry["data"]}. Split: {entry["split"]}. The last epoch's weights (EMA) were taken.

## How good its recipe is
{folds(report)}
## What it is not good at
What stands in the card of `maskdet-n`: small faces of the rare class above all, and faces that fill the picture. It must not
be used to identify anyone, nor as the only ground for a decision about a person.
"""
