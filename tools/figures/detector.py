"""The detector alone: its accuracy on the public split, and its mistakes."""

from __future__ import annotations

from typing import Any

from figures.cells import SHORT, with_interval
from maskdet.classes import CLASS_NAMES

#: The best published result of a nano model on the public split (YOLO11n).
PUBLISHED = {"map50": 0.793, "map50_95": 0.549, "mask_weared_incorrect": 0.611}


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

Best published nano model on this split: mAP50 {best["map50"]}, mAP50-95 {best["map50_95"]}, incorrect AP50
{best["mask_weared_incorrect"]}. Six of the 19 incorrectly worn masks have a near copy among the training photos, for every model on this split alike.
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
