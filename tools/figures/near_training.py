"""The public split beside itself: without the photos that resemble trained ones, and what ``detect`` reports of it."""

from __future__ import annotations

from typing import Any

from figures.cells import with_interval

#: Sets of photos, as the tables call them.
SETS = {
    "all": "all",
    "without_series": "without the selfie series",
    "without_near_copies": "without near copies",
    "without_either": "without either",
}

#: What others published on the split; no source of the run stands in this repository.
PUBLISHED = {"map50": 0.793, "map50_95": 0.549, "mask_weared_incorrect": 0.611}

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def in_words(count: int) -> str:
    """Return a small number in words, as a sentence has it."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def rare_near(report: dict[str, Any]) -> str:
    """Return the sentence on the rare class, ``eight of its 19 incorrectly worn masks …``; empty where none counted."""
    if "near_training" not in report:
        return ""
    near = report["near_training"]
    count, faces = (one["mask_weared_incorrect"] for one in (near["near_copies"]["faces"], report["data"]["faces"]))
    return f"{in_words(count)} of its {faces} incorrectly worn masks have a near copy among the training photos"


def without_either(report: dict[str, Any]) -> str:
    """Return mAP50 without the photos that resemble trained ones, with its interval over groups; a dash where unknown."""
    if "sets" in report:
        return "no fold has any"
    if "near_training" not in report:
        return "–"
    return with_interval(report["near_training"]["sets"]["without_either"]["ap"]["mean"]["by_group"]["ap50"])


def near_table(report: dict[str, Any]) -> str:
    """Return the table of the sets and a sentence on what ``detect`` reports; empty where neither was scored."""
    if "near_training" not in report:
        return ""
    near = report["near_training"]
    sets, whole, given = near["sets"], report["ap"]["all"], report["ap_as_reported"]
    rows = []
    for name, title in SETS.items():
        one = sets[name]
        ap = one["ap"]
        cells = [with_interval(ap["mean"]["ap50"]), with_interval(ap["mean"]["by_group"]["ap50"])]
        cells.append(f"{ap['mean']['ap50_95']['value']:.3f}")
        rare = ap["mask_weared_incorrect"]
        cells.append(f"{rare['ap50']['value']:.3f} ({rare['faces']}: {_ends(rare['by_group']['ap50'])})")
        cells.append(with_interval(ap["without_mask"]["by_group"]["ap50"]))
        rows.append(f"| {title} | {one['photos']} | {one['groups']} | {' | '.join(cells)} |")
    near_photos = sets["all"]["photos"] - sets["without_either"]["photos"]
    return f"""{near_photos} of the {sets["all"]["photos"]} photos resemble one of the {near["trained_photos"]} trained ones: {near["series_photos"]} are of the selfie series, {len(near["near_copies"]["photos"])} have a near
copy (`maskdet data check` names the pairs), and {rare_near(report)}. What that is
worth at most, since the photos that are left may be harder; in brackets the 95 % interval over draws of photos, and of groups of alike photos:

| photos | number | groups | mAP50, by photo | mAP50, by group | mAP50-95 | incorrect AP50 (faces: by group) | without_mask AP50, by group |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

These count, as `yolo val` does, every class of a box, from 0.001 on the score as trained. `maskdet detect --mode detect` gives one class a box and
the confidence as calibrated: of what it reports from confidence 0.001 on, mAP50 is {given["mean"]["ap50"]["value"]:.3f} (not {whole["mean"]["ap50"]["value"]:.3f}), mAP50-95 {given["mean"]["ap50_95"]["value"]:.3f}
({whole["mean"]["ap50_95"]["value"]:.3f}), incorrect AP50 {given["mask_weared_incorrect"]["ap50"]["value"]:.3f} ({whole["mask_weared_incorrect"]["ap50"]["value"]:.3f}).
"""


def _ends(figure: dict[str, Any]) -> str:
    return f"{figure['low']:.2f}–{figure['high']:.2f}"
