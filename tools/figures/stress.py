"""Faces of every size: the scale stress test and close-ups."""

from __future__ import annotations

from typing import Any

from figures.cells import with_interval, without_zero
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
    data = report["data"]
    return f"""The {data["photos"]} photos of `{data["split"]}` as they are, one thread, by
`{report["command"]}`; close-ups take {report["cost_ratio"] - 1:.1%} more processor time ({report["machine"]}):

| | AP50 with_mask | without_mask | incorrect | mAP50 | mAP50-95 | precision | recall | wrong boxes | CPU ms a photo |
|---|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def close_ups_choice(report: dict[str, Any]) -> str:
    """Return the table that the numbers of close-ups were chosen by."""
    buckets = ("25 %", "50 %", "75 %", "95 %")
    rows = []
    for way, row in report["ways"].items():
        recalls = (" / ".join(f"{row[bucket]['recall'][name]:.2f}" for name in CLASS_NAMES) for bucket in buckets)
        alarms = " / ".join(f"{row[bucket]['false_alarms']:.2f}" for bucket in buckets)
        shown = f"{row['map50']:.4f} / {row['map50_95']:.4f}"
        rows.append(f"| {way} | {' | '.join(recalls)} | {alarms} | {shown} | {row['wrong']:.0f} |")
    return f"""`{report["command"]}`: recall with / without / incorrect at confidence 0.25 on {report["pictures"]} re-framed pictures of training
photos, false alarms a picture in the same four buckets, and the figures on {report["photos"]} training photos as they are. The model
was trained on these photos: the rows rank, and say nothing of its accuracy.

| second look | 25 % | 50 % | 75 % | 95 % | false alarms | photos: mAP50 / mAP50-95 | wrong boxes |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def close_ups_when(report: dict[str, Any]) -> str:
    """Return the table of ``benchmarks/close_ups_when.py``."""
    buckets = list(next(iter(report["limits"].values()))["recall"])
    lines = [
        f"| second look where the first is below | {' | '.join(buckets)} | photos seen twice | mAP50 / mAP50-95 |",
        "|" + "---|" * (len(buckets) + 3),
    ]
    for limit, row in report["limits"].items():
        cells = [" / ".join(f"{row['recall'][bucket].get(name, 0):.2f}" for name in CLASS_NAMES) for bucket in buckets]
        again = f"{row['second_looks']['photos as they are']:.1%}"
        label = {"0": "never", "1": "always"}.get(limit, limit)
        figures = f"{without_zero(row['map50'])} / {without_zero(row['map50_95'])}"
        lines.append(f"| {label} | {' | '.join(cells)} | {again} | {figures} |")
    return f"""When the second look is worth its time, by the surest answer of the first: recall with / without / incorrect of {report["pictures"]} re-framed
pictures, and {report["photos"]} photos as they are, none of which the detector was trained on (the run `rare` of [training](training.md)), by
`{report["command"]}`:

{chr(10).join(lines)}
"""
