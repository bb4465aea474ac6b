"""The grouped folds: what they hold, and the detector over them, ``maskdet val --folds``."""

from __future__ import annotations

from typing import Any

from figures.cells import SHORT, spread, with_interval
from maskdet.classes import CLASS_NAMES


def folds(report: dict[str, Any]) -> str:
    """Return the table of the grouped folds, ``maskdet val --folds``."""
    whole, data = report["sets"]["all"], report["data"]
    rows = []
    for name in SHORT:
        cells = [spread(whole["ap"][label]["all"][name]) for label in ("ap50", "ap50_95")]
        point = [whole["point"]["precision"][name], whole["recall"]["all"][name], whole["point"]["f1"][name]]
        pooled = whole["ap"]["ap50"]["all"][name]["pooled"]["value"]
        shown = [f"{figure['value']:.3f}" for figure in point]
        faces = f"{whole['faces']['all'][name]:,}"
        rows.append(f"| {name} | {faces} | {' | '.join(cells)} | {pooled:.3f} | {' | '.join(shown)} |")
    sizes = []
    for size, recall in whole["recall"].items():
        counted = [whole["ap"]["ap50"][size]["mean"], *(recall[name] for name in (*CLASS_NAMES, "all"))]
        sizes.append(f"| {size} | {whole['faces'][size]['mean']:,} | {' | '.join(map(spread, counted))} |")
    series = ""
    if "without_series" in report["sets"]:
        rest = report["sets"]["without_series"]["ap"]
        series = f"""
Without the {data["series_photos"]} photos of the selfie series: mAP50 {spread(rest["ap50"]["all"]["mean"])}, mAP50-95
{spread(rest["ap50_95"]["all"]["mean"])}, incorrect AP50 {spread(rest["ap50"]["all"]["mask_weared_incorrect"])}; pooled {_pooled(rest)}.
"""
    if "series" in report["sets"]:
        series += (
            f"The series alone, by a detector trained on all the folds: {_pooled(report['sets']['series']['ap'])}.\n"
        )
    return f"""{data["folds"]} grouped folds ({where_the_series_is(data)}), each tested by a detector of the same recipe that
has not seen it; {sum(whole["photos"])} photos in all. Mean of the folds ± standard deviation, in brackets its 95 % interval (bootstrap over
groups of alike photos); "pooled": all photos as one set; P, R and F1 above confidence {report["settings"]["conf"]}. By
`maskdet convert FACE_MASK_DETECTION {data["name"]} --folds {data["folds"]}` and `{report["command"]}`:

| class | faces | AP50 | AP50-95 | AP50, pooled | P | R | F1 |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

| face side | faces | mAP50 | recall, with_mask | without_mask | incorrect | all faces |
|---|---|---|---|---|---|---|
{chr(10).join(sizes)}
{series}"""


def fold_parts(report: dict[str, Any]) -> str:
    """Return the table of what each fold holds, out of the audit of ``maskdet convert --folds``."""
    parts = report["folds"]
    titles = [
        "groups",
        "photos",
        *(SHORT[name] for name in parts[0]["faces"]),
        *(f"{side} px" for side in parts[0]["sizes"]),
    ]
    rows = [
        f"| {part['fold']} | " + " | ".join(map(str, (part["groups"], part["photos"], *_faces(part)))) + " |"
        for part in parts
    ]
    return f"""By `{report["command"]}`, which prints it too:

| part | {" | ".join(titles)} |
|---|{"---|" * len(titles)}
{chr(10).join(rows)}
"""


def _faces(part: dict[str, Any]) -> list[int]:
    return [*part["faces"].values(), *part["sizes"].values()]


def _pooled(ap: dict[str, Any]) -> str:
    figures = {"mAP50": ap["ap50"], "mAP50-95": ap["ap50_95"]}
    return ", ".join(f"{name} {with_interval(one['all']['mean']['pooled'])}" for name, one in figures.items())


def where_the_series_is(data: dict[str, Any]) -> str:
    """Say where the selfie series is, and of folds that were written before it had a part of its own, which they are."""
    if "parts" not in data:
        return "the old ones, with the selfie series in fold 1, written up to commit ccc80d7"
    if "series" in data["parts"]:
        return "alike photos in one fold; the selfie series, trained on with every fold and tested apart, is in what is pooled"
    return "alike photos in one fold; the selfie series is trained on and not tested"
