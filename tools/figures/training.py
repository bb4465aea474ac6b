"""The speed of training."""

from __future__ import annotations

from typing import Any

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
