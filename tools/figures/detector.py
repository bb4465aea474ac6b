"""The detector alone: its accuracy on the public split, and its mistakes."""

from __future__ import annotations

from typing import Any

from figures.cells import SHORT, with_interval
from figures.near_training import PUBLISHED, near_table
from maskdet.classes import CLASS_NAMES


def accuracy(report: dict[str, Any]) -> str:
    """Return the accuracy table of one ``maskdet val`` report."""
    rows = [
        f"| {name} | {row['faces']} | {with_interval(row['ap50'])} | {with_interval(row['ap50_95'])} |"
        for name, row in report["ap"]["all"].items()
    ]
    best = PUBLISHED
    photos = report["data"]["photos"]
    return f"""Accuracy of the shipped model on the public split (683 photos to train, these {photos} held out), in brackets the 95 %
bootstrap interval over photos. Made by `maskdet convert FACE_MASK_DETECTION public --split public`, then
`{report["command"]}`:

| class | faces | AP50 | AP50-95 |
|---|---|---|---|
{chr(10).join(rows)}

{near_table(report)}
The number to beat when this project began was mAP50 {best["map50"]}, mAP50-95 {best["map50_95"]}, incorrect AP50 {best["mask_weared_incorrect"]}, said to be the best of
nine runs (.69 to .79) of one nano network, a YOLO11n trained for 20 epochs. **It is unsourced**: no repository or commit was written down, and none was
found since. It lies within the interval above, the schedules differ, and each is one seed: no superiority is shown ([more](accuracy.md#the-public-split)).
"""


#: Kinds of mistakes, as the table calls them.
MISTAKES = {
    "missed": "missed",
    "wrong_class": "found as another class",
    "misplaced": "box beside the face (IoU below 0.5)",
    "twice": "found twice",
    "no_face": "box where no face is labelled",
}


def mistakes(report: dict[str, Any]) -> str:
    """Return the table of ``maskdet val --mistakes``."""
    sizes, settings = list(report["faces"])[1:], report["settings"]
    rows = []
    for kind, label in {"": "labelled faces", **MISTAKES}.items():
        counts = report["mistakes"][kind] if kind else report["faces"]
        cells = [f"{counts[size][name]:,}" for name in CLASS_NAMES for size in sizes]
        rows.append(f"| {label} | {' | '.join(cells)} |")
    heads = " | ".join(f"{SHORT[name]}, {size}" for name in CLASS_NAMES for size in sizes)
    doubtful = report["doubtful"]
    return f"""What goes wrong on {report["data"]["photos"]} photos ({report["data"]["split"]}) above confidence {settings["conf"]}, each photo looked at by a detector that has
not seen it; boxes where no face is labelled are counted under their own class, all else under the label's. By
`{report["command"]}`:

| | {heads} |
|---|{"---|" * len(CLASS_NAMES) * len(sizes)}
{chr(10).join(rows)}

Labels worth a second look: {doubtful["wrong_class"]} faces that were found as another class, and {doubtful["no_face"]} boxes where no face is labelled, all with a
confidence from {settings["doubtful_conf"]} on.
"""
