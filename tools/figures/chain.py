"""Detector, classifier and chain over the grouped folds, ``maskdet compare --folds``."""

from __future__ import annotations

from typing import Any

from figures.cells import SHORT, signed, spread, with_interval
from figures.folds import where_the_series_is


def compare_folds(report: dict[str, Any]) -> str:
    """Return the table of detector alone and chain over the grouped folds, and which wins where."""
    finders = {"shipped": "detector, as it ships", "detector": "detector, one box a face", "chain": "chain"}
    rows = []
    for finder, label in finders.items():
        table = report["ap"][finder]
        cells = [spread(table["ap50"]["all"][name]) for name in SHORT]
        rows.append(f"| {label} | {' | '.join(cells)} | {spread(table['ap50_95']['all']['mean'])} |")
    for finder in ("shipped", "detector"):
        table = report["ap_gain"][finder]
        cells = [signed(table["ap50"]["all"][name]) for name in SHORT]
        label = f"chain minus {finders[finder]}"
        rows.append(f"| {label} | {' | '.join(cells)} | {signed(table['ap50_95']['all']['mean'])} |")
    kinds = {"detector": "detector", "classifier": "classifier on its boxes", "chain": "chain"}
    named = []
    for namer, label in kinds.items():
        row = report["pooled"]["classes"]["all"][namer]
        cells = [with_interval(row[key], 3) for key in ("accuracy", "macro_f1")]
        named.append(f"| {label} | {' | '.join(cells)} |")
    data, settings = report["data"], report["settings"]
    rest = "" if "parts" in data else _without_the_first(report["ap_gain"]["shipped"]["ap50"]["all"])
    return f"""Detector alone, and chained with the classifier, on {data["folds"]} grouped folds ({data["photos"]} photos; {where_the_series_is(data)}): each fold by a detector and a
classifier that have not seen it. AP50, mean of the folds ± standard deviation with the 95 % interval over groups of photos; the
gains are drawn in pairs. By `{report["command"]}`:

| | {" | ".join(SHORT.values())} | mAP50-95 |
|---|---|---|---|---|---|
{chr(10).join(rows)}

{_who_wins(report)}{rest}

The class on the {report["pooled"]["classes"]["all"]["detector"]["faces"]:,} faces found (confidence above {settings["conf"]}, IoU from {settings["match_iou"]}):

| | accuracy | macro-F1 |
|---|---|---|
{chr(10).join(named)}
{"".join(_set(name, report[name]) for name in ("without_series", "series") if name in report)}"""


def _without_the_first(gains: dict[str, Any]) -> str:
    """Say what the chain gains in the mean of the other old folds, of which the first is the selfie series."""
    means = {name: sum(gains[name]["folds"][1:]) / (len(gains[name]["folds"]) - 1) for name in SHORT}
    said = " and ".join(f"{means[name]:+.3f} {SHORT[name]} AP50" for name in ("mask_weared_incorrect", "mean"))
    return f" Much of it is fold 1: the mean gain of the others is {said}."


def _set(name: str, figures: dict[str, Any]) -> str:
    """Return the sentence on a part of the photos: pooled figures of detector, classifier and chain."""
    pooled, title = (
        figures["pooled"],
        {"without_series": "Without the selfie series", "series": "The selfie series alone"},
    )
    ap = [with_interval(pooled["ap"][finder]["all"]["mean"]["ap50"]) for finder in ("shipped", "chain")]
    right = [
        with_interval(pooled["classes"]["all"][namer]["macro_f1"], 3) for namer in ("detector", "classifier", "chain")
    ]
    gain = figures["ap_gain"]["shipped"]["ap50"]["all"]
    gains = " and ".join(f"{signed(gain[key])} {SHORT[key]} AP50" for key in ("mask_weared_incorrect", "mean"))
    return f"""
{title[name]} ({figures["photos"]} photos, pooled): mAP50 of the detector {ap[0]}, of the chain {ap[1]} (mean of the folds' gains: {gains});
macro-F1 of the class {right[0]} by the detector, {right[1]} by the classifier, {right[2]} by the chain.
"""


def _who_wins(report: dict[str, Any]) -> str:
    """Say where the interval of the chain's gain over the detector as it ships leaves out zero."""
    gains = report["ap_gain"]["shipped"]
    parts: dict[str, list[str]] = {"better": [], "worse": [], "open": []}
    for label, title in (("ap50", "AP50"), ("ap50_95", "AP50-95")):
        for name, short in SHORT.items():
            figure = gains[label]["all"][name]
            if figure["low"] is None:
                continue
            kind = "better" if figure["low"] > 0 else "worse" if figure["high"] < 0 else "open"
            parts[kind].append(f"{short} {title}")
    words = {
        "better": "the chain wins",
        "worse": "the detector alone wins",
        "open": "the data cannot tell (the interval holds zero)",
    }
    said = "; ".join(f"{words[kind]} at {', '.join(names)}" for kind, names in parts.items() if names)
    return f"Beside the detector as it ships: {said}."
