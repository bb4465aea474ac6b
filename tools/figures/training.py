"""Training: its speed, and what each lever of the recipe does."""

from __future__ import annotations

from typing import Any

from figures.cells import without_zero
from maskdet.classes import CLASS_NAMES

TRAINING = """Training on a CPU, `maskdet train` beside `yolo train` as it ships, in turn on the same machine. The gain comes from using
every core (ultralytics leaves torch one thread) and from running the first half of the epochs at 0.65 of the size; on
processors with bfloat16 instructions its autocast comes on top, which these machines could not measure.
"""


def train_speed(report: dict[str, Any]) -> str:
    """Return the table of one training benchmark."""
    rows = []
    for tool, figures in report["tools"].items():
        score = f"{figures['map50_mean']:.3f} ± {figures['map50_sd']:.3f}" if "map50_mean" in figures else "–"
        rows.append(f"| `{tool}` | {figures['epoch_seconds']:.0f} s | {score} |")
    share = f" ({', '.join(report['settings'])})" if report["settings"] else ""
    seeds = f"{len(report['seeds'])} seeds" if len(report["seeds"]) > 1 else "one seed"
    return f"""{report["epochs"]} epochs at {report["imgsz"]} px on {report["photos"]} photos{share}, {seeds}, {report["machine"]}, by
`{report["command"]}`:

| | mean epoch | mAP50 (mean ± standard deviation) |
|---|---|---|
{chr(10).join(rows)}

An epoch is {report["times_faster"]:.2f} times faster.
"""


def train_speed_intro(report: dict[str, Any]) -> str:
    """Return the same under a paragraph that says what is compared."""
    return TRAINING + "\n" + train_speed(report)


def levers(report: dict[str, Any]) -> str:
    """Return the table of ``tools/lever_rows.py``."""
    buckets = [key for key in report["rows"][0] if key.startswith("recall_")]
    own = ("epochs", "imgsz", "close_up", "rare_photo", "paste_rare", "slip_mask", "freeze")
    heads = ["run", "seconds", "tested at", "mAP50 / mAP50-95", "AP50 with / without / incorrect"]
    heads += [key.removeprefix("recall_") for key in buckets]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in report["rows"]:
        recipe = ", ".join(f"{key} {row[key]:g}" for key in own if row[key])
        classes = " / ".join(without_zero(row[f"ap50_{name}"]) for name in CLASS_NAMES)
        cells = [f"{row['run']}: {recipe}", "–" if row["training_s"] is None else f"{row['training_s']:,.0f}"]
        cells += [f"{row['tested_at']} px", f"{without_zero(row['map50'])} / {without_zero(row['map50_95'])}", classes]
        lines.append(f"| {' | '.join([*cells, *(without_zero(row[key]) for key in buckets)])} |")
    faces = " / ".join(str(report["faces"][name]) for name in CLASS_NAMES)
    return f"""Short runs on an inner split ({report["photos"]} photos to test on, {faces} faces, none of them of the public split's held-out part), one seed
each, beside other work (seconds are an upper bound); in the last columns the recall, mean of with_mask and without_mask, of faces that
take so much of the picture (stress test, {report["pictures"]} pictures a class). By `{report["command"]}`:

{chr(10).join(lines)}
"""


def augmented_views(report: dict[str, Any]) -> str:
    """Return the table of ``benchmarks/augmented_views.py``."""
    lines = []
    for row in report["rows"]:
        classes = " / ".join(without_zero(row[f"ap50_{name}"]) for name in CLASS_NAMES)
        cells = [row["views"], row["merged"], f"{row['cost']:.2f}"]
        lines.append(
            f"| {' | '.join(cells)} | {without_zero(row['map50'])} / {without_zero(row['map50_95'])} | {classes} |"
        )
    return f"""Test-time augmentation on {report["photos"]} photos that the detector (the run `rare` of [training](training.md)) was not trained on; the
work is beside one view. By `{report["command"]}`:

| further views | merged | work | mAP50 / mAP50-95 | AP50 with / without / incorrect |
|---|---|---|---|---|
{chr(10).join(lines)}
"""
