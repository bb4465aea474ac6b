"""Faces of every size: the scale stress test and close-ups."""

from __future__ import annotations

from typing import Any

from figures.cells import with_interval
from maskdet.classes import CLASS_NAMES


def scales(report: dict[str, Any]) -> str:
    """Return the table of one ``maskdet val --stress``."""
    rows = []
    for bucket, found in report["buckets"].items():
        classes = found["classes"]
        faces = " / ".join(str(classes[name]["faces"]) for name in CLASS_NAMES)
        cells = [
            *(with_interval(classes[name]["recall"]) for name in CLASS_NAMES),
            with_interval(classes["mean"]["found"]),
        ]
        aps = " / ".join("–" if (ap := classes[name]["ap50"]["value"]) is None else f"{ap:.3f}" for name in CLASS_NAMES)
        rows.append(f"| {bucket} | {faces} | {' | '.join(cells)} | {aps} | {found['false_alarms']['value']:.2f} |")
    close = report["model"].get("close_ups")
    how = (
        "without close-ups" if close is None else f"with close-ups of {close['imgsz']} px from {close['share']:.0%} on"
    )
    if close and "below" in close:
        how += f" where the first look is below {close['below']:g}"
    data = report["data"]
    return f"""{report["model"]["name"]} {how}, by `{report["command"]}` ({data["photos"]} photos of `{data["split"]}`;
confidence {report["recall_conf"]}, IoU from 0.5; in brackets the 95 % interval over photos):

| share | faces with / without / incorrect | recall with_mask | without_mask | incorrect | any class, mean | AP50 with / without / incorrect | false alarms a picture |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def close_ups(report: dict[str, Any]) -> str:
    """Return what close-ups change and cost on photos as they are."""
    rows = []
    for way, row in report["ways"].items():
        ap = [row["ap50"][name] for name in CLASS_NAMES]
        cells = [*ap, *(row[key] for key in ("map50", "map50_95", "precision", "recall"))]
        shown = " | ".join(f"{cell:.4f}" for cell in cells)
        rows.append(f"| {way} | {shown} | {row['wrong']} | {row['cpu_ms']:.0f} |")
    data, ratio = report["data"], report["cost_ratio"]
    return f"""The {data["photos"]} photos of `{data["split"]}` as they are, one thread, by
`{report["command"]}`; as it ships, {report["seen_twice"]:.0%} of the photos are seen twice
for {ratio["as it ships"] - 1:.1%} more processor time; close-ups of every picture take {ratio["of every picture"] - 1:.1%} ({report["machine"]}):

| | AP50 with_mask | without_mask | incorrect | mAP50 | mAP50-95 | precision | recall | wrong boxes | CPU ms a photo |
|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""
