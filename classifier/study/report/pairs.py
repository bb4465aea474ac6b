"""Which networks differ, pair by pair: by group of photos, and what McNemar's test by face would have said."""

from __future__ import annotations

from maskdet.classifier.study.report.text import NONE, p_value, table
from maskdet.classifier.study.sections import Section
from maskdet.statistics.mcnemar import ALPHA, Comparison


def pairs_table(section: Section) -> str:
    """Return the matrix of all pairs: crops that the row alone got right : the column alone, groups, and Holm's p."""
    found = {(pair.first, pair.second): pair for pair in section.pairs}
    places = sorted({place for pair in found for place in pair})
    names = {place: f"{place + 1} {section.entries[place].label}" for place in places}
    rows = [
        [names[first], *(_cell(found.get((first, second))) if second > first else "" for second in places[1:])]
        for first in places[:-1]
    ]
    return table(["", *(names[place] for place in places[1:])], rows)


def pairs_sentence(section: Section) -> str:
    """Say how many pairs differ, on how many crops they were compared, and how many would differ by face."""
    pairs, differ = len(section.pairs), sum(pair.differ for pair in section.pairs)
    by_face = sum(pair.p_holm < ALPHA for pair in section.pairs)
    common = sorted({pair.common for pair in section.pairs})
    crops = f"{common[0]:,}" if len(common) == 1 else f"{common[0]:,} to {common[-1]:,}"
    compared = {place for pair in section.pairs for place in (pair.first, pair.second)}
    left = len(compared) * (len(compared) - 1) // 2 - pairs
    apart = f" {left} more share no test crop and cannot be compared." if left else ""
    what = f"1 pair {'differs' if differ else 'differ'}" if pairs == 1 else f"{pairs} pairs differ"
    face = "" if by_face == differ else f" (McNemar's test, which takes faces for independent, would say {by_face})"
    return f"{differ} of {what} at {100 * ALPHA:.0f} %{face}, compared on the {crops} test crops that both have.{apart}"


def _cell(pair: Comparison | None) -> str:
    if pair is None:
        return NONE
    groups = f"{pair.groups} group{'s' * (pair.groups != 1)}"
    text = f"{pair.first_only} : {pair.second_only} in {groups}, p {p_value(pair.p_group_holm)}"
    return f"**{text}**" if pair.differ else text


#: What stands in the table's cells.
CELLS = (
    "In each cell: test crops that the row's network alone got right : those that the column's alone did; the groups "
    "of photos in which one got more right than the other; and Holm's corrected p of the sign-flip test by group, "
    "which is exact. Bold: they differ. McNemar's p by face stands beside it in `mcnemar.csv`."
)
