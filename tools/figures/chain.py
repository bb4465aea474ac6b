"""Detector, classifier and chain over the grouped folds, ``maskdet compare --folds``."""

from __future__ import annotations

from typing import Any

from figures.cells import SHORT, signed, spread, with_interval


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
    return f"""Detector alone, and chained with the classifier, on {data["folds"]} grouped folds ({data["photos"]} photos): each fold by a detector and a
classifier that have not seen it. AP50, mean of the folds ± standard deviation with the 95 % interval over groups of photos; the
gains are drawn in pairs. By `{report["command"]}`:

| | {" | ".join(SHORT.values())} | mAP50-95 |
|---|---|---|---|---|---|
{chr(10).join(rows)}

{_who_wins(report)}

The class on the {report["pooled"]["classes"]["all"]["detector"]["faces"]:,} faces found (confidence above {settings["conf"]}, IoU from {settings["match_iou"]}):

| | accuracy | macro-F1 |
|---|---|---|
{chr(10).join(named)}
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
