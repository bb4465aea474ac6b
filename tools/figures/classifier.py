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
    """Return the study's networks in short."""
    rows = []
    for section in report["sections"]:
        division = f"{TASKS[section['task']]}, {PROTOCOLS[section['protocol']]}"
        for network in section["networks"]:
            error, balanced = network["error"], network["balanced_accuracy"]
            rows.append(
                f"| {network['label']} | {division} | {network['wrong']} of {network['crops']}: {error['value']:.1%} "
                f"({error['low']:.1%}–{error['high']:.1%}) | {balanced['value']:.3f} | {network['floor']['error']:.1%} |"
            )
    return f"""The crop study's networks, as far as they were trained here ([report](study/report.md), by the commands in it); in
brackets the 95 % interval, the floor is always giving the most frequent answer:

| network | division | test error | balanced accuracy | floor |
|---|---|---|---|---|
{chr(10).join(rows)}
"""
