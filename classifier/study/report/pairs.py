"""The report's table of which networks differ, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence

from maskdet.classifier.study.report.text import NONE, p_value, table
from maskdet.classifier.study.sections import Section
from maskdet.statistics.mcnemar import ALPHA, Comparison, compare_all


def compare_section(section: Section) -> list[Comparison]:
    """Compare every two networks of a section on the test crops that both have."""
    return compare_all([entry.right() for entry in section.entries])


def pairs_table(section: Section, comparisons: Sequence[Comparison]) -> str:
    """Return the matrix of all pairs: crops that the row alone got right : the column alone, and Holm's p."""
    found = {(pair.first, pair.second): pair for pair in comparisons}
    entries = section.entries
    rows = []
    for first, entry in enumerate(entries[:-1]):
        cells = [_cell(found.get((first, second))) if second > first else "" for second in range(1, len(entries))]
        rows.append([f"{first + 1} {entry.label}", *cells])
    return table(["", *(f"{index} {entry.label}" for index, entry in enumerate(entries[1:], 2))], rows)


def pairs_sentence(section: Section, comparisons: Sequence[Comparison]) -> str:
    """Say how many pairs differ, and on how many crops they were compared."""
    pairs, differ = len(comparisons), sum(pair.differ for pair in comparisons)
    common = sorted({pair.common for pair in comparisons})
    crops = f"{common[0]:,}" if len(common) == 1 else f"{common[0]:,} to {common[-1]:,}"
    left = len(section.entries) * (len(section.entries) - 1) // 2 - pairs
    apart = f" {left} more share no test crop and cannot be compared." if left else ""
    what = "1 pair" if pairs == 1 else f"{pairs} pairs"
    return (
        f"{differ} of {what} differ at {100 * ALPHA:.0f} %, compared on the {crops} test crops that both have.{apart}"
    )


def _cell(pair: Comparison | None) -> str:
    if pair is None:
        return NONE
    text = f"{pair.first_only} : {pair.second_only}, p {p_value(pair.p_holm)}"
    return f"**{text}**" if pair.differ else text
