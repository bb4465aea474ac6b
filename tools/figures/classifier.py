"""The classifier that ships, and the crop study's networks."""

from __future__ import annotations

from typing import Any

from figures.cells import with_interval


def classifier(report: dict[str, Any]) -> str:
    """Return the table of the shipped classifier's figures."""
    named = ("accuracy", "macro_f1", "balanced_accuracy")
    accuracy, macro_f1, balanced = (with_interval(report[key], 3) for key in named)
    rows = [
        f"| {name} | {row['support']:,} | {row['precision']['value']:.3f} | {row['recall']['value']:.3f} | {row['f1']['value']:.3f} |"
        for name, row in report["classes"].items()
    ]
    return f"""The classifier on true face boxes, {report["data"]["crops"]:,} crops of {report["data"]["photos"]} photos; {report["data"]["split"]}. By `{report["command"]}`:
accuracy {accuracy}, macro-F1 {macro_f1}, balanced accuracy {balanced}.

| class | crops | precision | recall | F1 |
|---|---|---|---|---|
{chr(10).join(rows)}
"""


TASKS = {"binary": "two classes", "three": "three classes"}
PROTOCOLS = {"study": "by crop", "grouped": "by photo group"}


def study(report: dict[str, Any]) -> str:
    """Return the study's networks in short, each with those that it beats for sure."""
    rows = []
    for section in report["sections"]:
        division = f"{TASKS[section['task']]}, {PROTOCOLS[section['protocol']]}"
        for network in section["networks"]:
            folds = f", {len(network['folds'])} of 5 folds" if network["folds"] else ""
            earlier = " of an earlier making" if section["earlier_folds"] else ""
            error, group, balanced = network["error"], network["error_by_group"], network["balanced_accuracy"]
            beaten = "; ".join(_beaten(network["label"], section["pairs"])) or "–"
            rows.append(
                f"| {network['label']} | {division}{folds}{earlier} | {network['wrong']} of {network['crops']}: "
                f"{error['value']:.1%} ({error['low']:.1%}–{error['high']:.1%}; {group['low']:.1%}–{group['high']:.1%}) "
                f"| {balanced['value']:.3f} | {network['floor']['error']:.1%} | {beaten} |"
            )
    return f"""The crop study's networks, as far as they were trained here ([report](study/report.md), by the commands in it); in
brackets the 95 % interval by face (Wilson) and by photo group (bootstrap), the floor is always giving the most frequent
answer. In the last column those of the same division that it differs from at 5 %, by sign flips of photo groups with Holm's correction, and
that are wrong more often.

| network | division | test error | balanced accuracy | floor | better than |
|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def _beaten(label: str, pairs: list[dict[str, Any]]) -> list[str]:
    """Return the networks that one differs from and is right more often than, on the crops that both have."""
    beaten = []
    for pair in pairs:
        if pair["differ"]:
            better, worse = pair["first"], pair["second"]
            if pair["second_only"] > pair["first_only"]:
                better, worse = worse, better
            if better == label:
                beaten.append(worse)
    return beaten
