"""What a test part is made of: photos, groups of photos, the series among them; and errors without the series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.study.report.text import NONE, error_intervals, mark_best, percent, table
from maskdet.classifier.study.scores import Scores
from maskdet.classifier.study.sections import Entry, Section, score_where

#: From so many photos on, a group is a series of a few people that can move a figure.
SERIES = 10


@dataclass(frozen=True, slots=True)
class Series:
    """The group with most photos: its name, how many photos it has, and its crops."""

    name: str
    photos: int
    crops: frozenset[str]


def find_series(records: Sequence[CropRecord]) -> Series | None:
    """Return the largest group, None where it is no series."""
    photos: dict[str, set[str]] = {}
    for record in records:
        photos.setdefault(record.group, set()).add(record.photo)
    if not photos:
        return None
    name = min(photos, key=lambda group: (-len(photos[group]), group))
    if len(photos[name]) < SERIES:
        return None
    return Series(name, len(photos[name]), frozenset(record.crop for record in records if record.group == name))


def without_series(entry: Entry, series: Series, records: Sequence[CropRecord]) -> Scores | None:
    """Return the scores on the test crops that are not of the series; None where there are none."""
    groups = {record.crop: record.group for record in records}
    return score_where(entry, lambda crop: crop not in series.crops, groups)


def part_sentence(entry: Entry, records: Sequence[CropRecord]) -> str:
    """Say what an entry was tested on: photos, groups, and what the series is of that.

    ``Tested on 211 photos in 23 groups, 184 of the photos one series.``
    """
    known = {record.crop: record for record in records}
    series = find_series(records)
    photos = {known[crop].photo: known[crop].group for crop in entry.test.crops}
    inside = sum(series is not None and group == series.name for group in photos.values())
    tail = f", {inside:,} of the photos one series" if inside else ""
    return f"Tested on {len(photos):,} photos in {len(set(photos.values())):,} groups{tail}."


def groups_table(section: Section, records: Sequence[CropRecord]) -> str:
    """Return what the test parts are made of, errors without the series, and the group with most errors."""
    known = {record.crop: record for record in records}
    series = find_series(records)
    rest = [None if series is None else without_series(entry, series, records) for entry in section.entries]
    texts = [NONE if one is None else f"{one.wrong:,} of {one.count:,}: {error_intervals(one)}" for one in rest]
    marked = mark_best([None if one is None else one.error.value for one in rest], texts, lowest=True)
    rows = []
    for entry, without in zip(section.entries, marked, strict=True):
        photos = {known[crop].photo: known[crop].group for crop in entry.test.crops}
        inside = [crop for crop in entry.test.crops if series is not None and crop in series.crops]
        of_series = len({known[crop].photo for crop in inside})
        rows.append(
            [
                entry.name,
                f"{len(photos):,} in {len(set(photos.values())):,}",
                f"{of_series:,} photos, {len(inside):,} crops",
                percent(entry.scores.error.value),
                without,
                _worst(entry, known),
            ]
        )
    for floor, without_floor in sorted(
        {(_floor(entry.scores), _floor(one)) for entry, one in zip(section.entries, rest, strict=True)}
    ):
        rows.append(["*floor: always the same*", NONE, NONE, floor, without_floor, NONE])
    columns = [
        "network",
        "test photos in groups",
        "of the series",
        "test error",
        "without the series",
        "most errors in one group",
    ]
    about = (
        ""
        if series is None
        else (f"The largest group, `{series.name}`, is a series of {series.photos} photos of a few people. ")
    )
    return (
        f"{about}A test part of few groups, or with much of the series in it, says little of other photos.\n\n"
        + table(columns, rows)
    )


def _floor(scores: Scores | None) -> str:
    return NONE if scores is None else percent(scores.floor.error)


def _worst(entry: Entry, known: dict[str, CropRecord]) -> str:
    """Return how many of the errors are of one group, and how many crops it has."""
    wrong = Counter(known[crop].group for crop, right in entry.right().items() if not right)
    if not wrong:
        return NONE
    group = min(wrong, key=lambda name: (-wrong[name], name))
    crops = sum(known[crop].group == group for crop in entry.test.crops)
    return f"{wrong[group]} of {wrong.total()}, in {crops:,} crops"
