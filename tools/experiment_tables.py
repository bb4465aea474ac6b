"""Tables of experiments, from the JSON that the measuring scripts write; ``update_readme.py`` puts them into the pages."""

from __future__ import annotations

from typing import Any

CLASSES = ("with_mask", "without_mask", "mask_weared_incorrect")


def levers(report: dict[str, Any]) -> str:
    """Return the table of ``tools/lever_rows.py``."""
    buckets = [key for key in report["rows"][0] if key.startswith("recall_")]
    own = ("epochs", "imgsz", "close_up", "rare_photo", "paste_rare", "slip_mask", "freeze")
    heads = ["run", "seconds", "tested at", "mAP50 / mAP50-95", "AP50 with / without / incorrect"]
    heads += [key.removeprefix("recall_") for key in buckets]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in report["rows"]:
        recipe = ", ".join(f"{key} {row[key]:g}" for key in own if row[key])
        classes = " / ".join(_short(row[f"ap50_{name}"]) for name in CLASSES)
        cells = [f"{row['run']}: {recipe}", "–" if row["training_s"] is None else f"{row['training_s']:,.0f}"]
        cells += [f"{row['tested_at']} px", f"{_short(row['map50'])} / {_short(row['map50_95'])}", classes]
        lines.append(f"| {' | '.join([*cells, *(_short(row[key]) for key in buckets)])} |")
    faces = " / ".join(str(report["faces"][name]) for name in CLASSES)
    return f"""Short runs on an inner split ({report["photos"]} photos to test on, {faces} faces, none of them of the public split's held-out part), one seed
each, beside other work (seconds are an upper bound); in the last columns the recall, mean of with_mask and without_mask, of faces that
take so much of the picture (stress test, {report["pictures"]} pictures a class). By `{report["command"]}`:

{chr(10).join(lines)}
"""


def close_ups_when(report: dict[str, Any]) -> str:
    """Return the table of ``benchmarks/close_ups_when.py``."""
    buckets = list(next(iter(report["limits"].values()))["recall"])
    lines = [
        f"| second look where the first is below | {' | '.join(buckets)} | photos seen twice | mAP50 / mAP50-95 |",
        "|" + "---|" * (len(buckets) + 3),
    ]
    for limit, row in report["limits"].items():
        cells = [" / ".join(f"{row['recall'][bucket].get(name, 0):.2f}" for name in CLASSES) for bucket in buckets]
        again = f"{row['second_looks']['photos as they are']:.1%}"
        label = {"0": "never", "1": "always"}.get(limit, limit)
        figures = f"{_short(row['map50'])} / {_short(row['map50_95'])}"
        lines.append(f"| {label} | {' | '.join(cells)} | {again} | {figures} |")
    return f"""When the second look is worth its time, by the surest answer of the first: recall with / without / incorrect of {report["pictures"]} re-framed
pictures, and {report["photos"]} photos as they are, none of which the detector was trained on (the run `rare` of [training](training.md)), by
`{report["command"]}`:

{chr(10).join(lines)}
"""


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
