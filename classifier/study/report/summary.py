"""The report's first page: what came out, in a few sentences made from the figures."""

from __future__ import annotations

from collections.abc import Sequence

from maskdet.classifier.networks.specs import NETWORKS
from maskdet.classifier.study.collapse_rows import CollapseRow
from maskdet.classifier.study.published import OWN, OWN_PARTS, TRANSFER, TRANSFER_PARTS
from maskdet.classifier.study.report.pairs import pairs_sentence
from maskdet.classifier.study.report.text import join_names, percent, percent_interval, ratio_interval, table
from maskdet.classifier.study.sections import Entry, Section
from maskdet.statistics.figures import Estimate
from maskdet.statistics.mcnemar import Comparison


def summary(
    sections: Sequence[Section], comparisons: Sequence[Sequence[Comparison]], collapse: Sequence[CollapseRow]
) -> str:
    """Return what the report is about, the best network of each section, and what the study's numbers say."""
    lines = [_study(), *map(_best, sections)]
    lines += [
        f"{section.title[0].upper()}{section.title[1:]}: {pairs_sentence(section, pairs)}"
        for section, pairs in zip(sections, comparisons, strict=True)
        if pairs
    ]
    if collapse:
        lines.append(
            f"{sum(row.collapsed for row in collapse)} of {len(collapse)} trainings of the collapse experiment end "
            "in a constant answer."
        )
    parts = [
        "A student study of January 2023, *Mask Detection Using Convolutional Neural Networks*, cuts the faces out "
        "of 853 photos and lets seven networks say who wears a mask. This report trains the same networks again and "
        "puts three things side by side: what the study printed, what its numbers really say, and what we measured. "
        "The floor in each table is the score of always giving the most frequent answer; a network must beat it to "
        "have learned anything.",
        "\n".join(f"- {line}" for line in lines),
    ]
    both = _both_divisions(sections)
    if both:
        parts.append(
            "The same networks, divided in two ways. By crop, test faces share photos with training faces; by photo "
            "group they do not.\n\n" + both
        )
    return "\n\n".join(parts)


def _study() -> str:
    constant = join_names([NETWORKS[name].title for name, transfer in TRANSFER.items() if transfer.constant])
    ends = [own.test_interval for own in OWN.values()]
    overlap = max(low for low, _ in ends) < min(high for _, high in ends)
    own = (
        "overlap, so that they cannot be told apart"
        if overlap
        else "do not all overlap, so that some of them can be told apart"
    )
    return (
        f"The study: {constant} answer *with_mask* for every one of {TRANSFER_PARTS[1]} test crops. The 95 % "
        f"intervals of its own networks' test errors on {OWN_PARTS[2]} crops {own}. Its F1 column counts every crop "
        "as *without_mask*: it is a constant and says nothing of the networks."
    )


def _best(section: Section) -> str:
    errors = [entry.scores.wrong / entry.scores.count for entry in section.entries]
    first, *others = [entry for entry, error in zip(section.entries, errors, strict=True) if error == min(errors)]
    scores = first.scores
    what = "only" if len(section.entries) == 1 else "least wrong"
    level = f" (level with {join_names([entry.label for entry in others])})" if others else ""
    return (
        f"{section.title[0].upper()}{section.title[1:]}: {what} {first.label}{level}, "
        f"error {percent_interval(scores.error)}, balanced accuracy {ratio_interval(scores.balanced_accuracy)}; "
        f"floor {percent(scores.floor.error)}."
    )


def _both_divisions(sections: Sequence[Section]) -> str:
    """Return errors by crop beside those by photo group, for networks that have both; empty without any."""
    rows = []
    for task, name in (("binary", "two classes"), ("three", "three classes")):
        found = {section.protocol: section for section in sections if section.task == task}
        if len(found) < 2:
            continue
        grouped = {entry.label: entry for entry in found["grouped"].entries}
        pairs = [(entry, grouped[entry.label]) for entry in found["study"].entries if entry.label in grouped]
        rows += [[entry.label, name, *map(_error, (entry, other))] for entry, other in pairs]
        if pairs:
            floors = [percent(pairs[-1][side].scores.floor.error) for side in (0, 1)]
            rows.append(["*floor: always the same*", name, *floors])
    return (
        table(["network", "classes", "error, split by crop", "error, split by photo group"], rows, left=2)
        if rows
        else ""
    )


def _error(entry: Entry) -> str:
    estimate: Estimate = entry.scores.error
    return percent_interval(estimate)
