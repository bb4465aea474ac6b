"""How far the detector's confidences can be believed, and the threshold to report from."""

from __future__ import annotations

import json
from typing import Any

from figures.cells import SHORT, signed, with_interval
from maskdet.weights import FOLDER

#: Ways of calibrating, as the table calls them.
METHODS = {
    "none": "as trained",
    "temperature": "temperature",
    "temperature_and_bias": "temperature and bias",
    "per_class": "both for each class",
}
WAYS = {"shipped": "the default", "one": "chosen, one for all", "per_class": "chosen, one a class"}


def calibration(report: dict[str, Any]) -> str:
    """Return the tables of ``maskdet val --folds --calibrate``."""
    limits = list(report["methods"]["none"]["above"])
    rows = []
    for name, method in report["methods"].items():
        label = METHODS[name]
        fitted = (method["final"][key] for key in ("temperature", "bias"))
        cells = [", ".join(f"{one:.3f}" for one in (value if isinstance(value, list) else [value])) for value in fitted]
        for limit in limits:
            above = method["above"][limit]
            cells += [f"{above['detections']:,}", with_interval(above["ece"], 3), f"{above['adaptive_ece']:.3f}"]
        rows.append(f"| {label} | {' | '.join(cells)} |")
    heads = " | ".join(f"above {limit} | ECE | adaptive" for limit in limits)
    ways = []
    for name, label in WAYS.items():
        way = report["thresholds"][name]
        chosen = list(way["final"].values())
        shown = f"{chosen[0]:.2f}" if len(set(chosen)) == 1 else ", ".join(f"{one:.2f}" for one in chosen)
        figures = [f"{way['figures'][key]['mean']['value']:.3f}" for key in ("precision", "recall", "f1")]
        gain = "–" if name == "shipped" else signed(way["f1_gain"]["mean"])
        ways.append(f"| {label} | {shown} | {' | '.join(figures)} | {gain} |")
    settings, data = report["settings"], report["data"]
    return f"""Expected calibration error ({settings["bins"]} bins of equal width; adaptive: of equal counts) of the detections on {data["photos"]} photos in
{data["folds"]} grouped folds, each fold calibrated by what the others say; a detection is right if it found a face of its class at IoU
{settings["match_iou"]}. In brackets the 95 % interval over groups of photos; temperature and bias are those fitted on all folds. By
`{report["command"]}`:

| | temperature | bias | {heads} |
|---|---|---|{"---|" * 3 * len(limits)}
{chr(10).join(rows)}

The confidence threshold with the best mean F1, on confidences calibrated by {METHODS[report["chosen"]]}; figures with the threshold that the
other folds choose, all folds together, mean of the classes:

| threshold | value | P | R | F1 | F1 beside the default |
|---|---|---|---|---|---|
{chr(10).join(ways)}
"""


def error_sentence(report: dict[str, Any]) -> str:
    """Return the calibration error of ``maskdet val``'s photos, on which nothing was fitted; empty where not measured."""
    errors = report.get("calibration_error")
    if not errors:
        return ""
    least = list(errors)[-1]
    said = ", ".join(f"{SHORT.get(name, name)} {with_interval(one)}" for name, one in errors[least].items())
    return f"Calibration error (15 bins) of what is reported above {least}, on these photos, none of which it was fitted on: {said}."


def shipped_errors(registry: dict[str, Any]) -> str:
    """Return a row a shipped detector: its calibration error on the public split's photos held out."""
    rows = []
    for name, entry in registry["models"].items():
        report = json.loads((FOLDER / entry["figures"]["report"]).read_text(encoding="utf-8"))
        errors = report.get("calibration_error")
        if not errors or "of" in entry["figures"]:  # of another model's figures
            continue
        cells = [
            with_interval(one) for above in errors.values() for one in (above["all"], above["mask_weared_incorrect"])
        ]
        rows.append(f"| [{name}](../weights/{name}.md) | {' | '.join(cells)} |")
    if not rows:
        return ""
    return f"""Calibration error of each shipped detector by itself on the 170 photos of the public split, none of which any of it was fitted on; in
brackets the 95 % interval over groups of photos. They were fitted on other sources, with larger faces and many painted masks, so not all of it
carries over, and 19 incorrectly worn masks leave much open. By `maskdet val model=NAME data=public/data.yaml --near-copies`:

| | all, above 0.05 | incorrect, above 0.05 | all, above 0.25 | incorrect, above 0.25 |
|---|---|---|---|---|
{chr(10).join(rows)}
"""
