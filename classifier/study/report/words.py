"""The words of the report: what came out, the data, the two divisions, the recipes, the figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.networks.specs import STUDY_NETWORKS
from maskdet.classifier.study.collapse import CollapseRow
from maskdet.classifier.study.published import CROPS, OWN, OWN_PARTS, TRANSFER, TRANSFER_PARTS
from maskdet.classifier.study.report.results import pairs_sentence
from maskdet.classifier.study.report.text import (
    NONE,
    join_names,
    mark_best,
    percent,
    percent_interval,
    ratio_interval,
    table,
)
from maskdet.classifier.study.scores import RESAMPLES
from maskdet.classifier.study.sections import Entry, Section, wrong_where
from maskdet.classifier.training.run import PARTS
from maskdet.statistics.figures import Figure


def summary(sections: Sequence[Section], collapse: Sequence[CollapseRow]) -> str:
    """Return what the report is about, the best network of each section, and what the study's numbers say."""
    lines = [_study(), *map(_best, sections)]
    lines += [
        f"{section.title[0].upper()}{section.title[1:]}: {pairs_sentence(section)}"
        for section in sections
        if section.pairs
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
    constant = join_names([STUDY_NETWORKS[name].title for name, transfer in TRANSFER.items() if transfer.constant])
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
    estimate: Figure = entry.scores.error
    return percent_interval(estimate)


#: From so many photos on, a group is a series of a few people that can move a figure.
SERIES: Final = 10


def data_section(sections: Sequence[Section], records: Sequence[CropRecord]) -> str:
    """Return what the crops are, and how many of them each network had in each part."""
    counts = Counter(record.class_id for record in records)
    photos, groups = len({record.photo for record in records}), len({record.group for record in records})
    classes = table(
        ["crops", *CLASS_NAMES, "all"],
        [
            ["in the study", *(f"{count:,}" for count in CROPS), f"{sum(CROPS):,}"],
            ["here", *(f"{counts[index]:,}" for index in range(len(CLASS_NAMES))), f"{len(records):,}"],
        ],
    )
    rows = [
        ["the study's own networks", *(f"{count:,}" for count in OWN_PARTS), "split by crop", NONE],
        [
            "the study's transfer nets",
            f"{TRANSFER_PARTS[0]:,}",
            "= test",
            f"{TRANSFER_PARTS[1]:,}",
            "split by crop",
            NONE,
        ],
    ]
    for section in sections:
        rows += [
            [entry.label, *_part_sizes(entry), section.title, percent(1 - entry.scores.floor.error)]
            for entry in section.entries
        ]
    return "\n\n".join(
        [
            f"Every annotated face of {photos:,} photos is cut out as one crop. With two classes "
            "*mask_weared_incorrect* is left out and *without_mask* is the positive class.",
            classes,
            f"The photos fall into {groups:,} groups: a group holds one photo with its copies and other shots of the "
            "same scene. *The study's split* draws single crops, so faces of one photo, and copies of one photo, "
            "are on both sides, and part of the test has been seen in training. *Split by photo group* keeps each "
            "group on one side: those figures say what to expect of new photos. The majority share is what always "
            "giving one answer gets right.",
            table(["network", "train", "dev", "test", "division", "majority share of test"], rows),
        ]
    )


def _part_sizes(entry: Entry) -> list[str]:
    sizes = []
    for part in PARTS:
        each = [len(run.parts[part].crops) for run in entry.runs]
        many = f" in {len(each)} folds" if len(each) > 1 else ""
        whole = f"{sum(each):,}" if part == "test" else f"about {round(sum(each) / len(each)):,}"
        sizes.append(f"{whole}{many}" if many and part == "test" else f"{whole} each" if many else f"{each[0]:,}")
    return sizes


def largest_group(section: Section, records: Sequence[CropRecord]) -> str:
    """Return the errors without the photo group that has most of the photos; empty if none is a series."""
    photos: dict[str, set[str]] = {}
    for record in records:
        photos.setdefault(record.group, set()).add(record.photo)
    name = min(photos, key=lambda group: (-len(photos[group]), group))
    if len(photos[name]) < SERIES:
        return ""
    inside = {record.crop for record in records if record.group == name}
    each = [wrong_where(entry, lambda crop: crop not in inside) for entry in section.entries]
    shares = [wrong / count if count else None for wrong, count in each]
    texts = [f"{wrong:,} of {count:,}: {percent(wrong / count)}" if count else NONE for wrong, count in each]
    rows = [
        [entry.label, percent(entry.scores.error.value), best]
        for entry, best in zip(section.entries, mark_best(shares, texts, lowest=True), strict=True)
    ]
    for floor, without in sorted({_floors_without(entry, inside) for entry in section.entries}):
        rows.append(["*floor: always the same*", percent(floor), percent(without)])
    return (
        f"The largest group, `{name}`, holds {len(photos[name])} photos. Errors with and without its crops:\n\n"
        + table(["network", "test error", "without the largest group"], rows)
    )


def _floors_without(entry: Entry, inside: set[str]) -> tuple[float, float]:
    """Return the error of the constant answer on all test crops and on those outside the group."""
    outside = Counter(
        label for crop, label in zip(entry.test.crops, entry.test.labels.tolist(), strict=True) if crop not in inside
    )
    floor = entry.scores.floor
    total = outside.total()
    return floor.error, 1 - outside[floor.answer] / total if total else 0.0


def recipes(sections: Sequence[Section]) -> str:
    """Return how each network was trained: what all share, then a table of what differs."""
    entries = [(section, entry) for section in sections for entry in section.entries]
    settings = [
        {"start": entry.run.weights, "backbone frozen": entry.run.frozen, **entry.run.recipe, "seed": entry.run.seed}
        for _, entry in entries
    ]
    names = list(dict.fromkeys(name for one in settings for name in one))
    shared = [name for name in names if len({_plain(one.get(name)) for one in settings}) == 1]
    differing = [name for name in names if name not in shared]
    parts = []
    if shared:
        parts.append(
            "The same for all:\n\n" + table(["setting", "value"], [[n, _plain(settings[0][n])] for n in shared], left=2)
        )
    if differing:
        rows = [
            [entry.label, section.title, *(_plain(one.get(name)) for name in differing)]
            for (section, entry), one in zip(entries, settings, strict=True)
        ]
        parts.append("By network:\n\n" + table(["network", "division", *differing], rows, left=len(differing) + 2))
    return "\n\n".join(parts)


def _plain(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def definitions(resamples: int = RESAMPLES) -> str:
    """Return what each figure means and where its formula comes from."""
    return f"""\
- **Error**: share of crops whose most probable class is not the labelled one. Its 95 % interval is Wilson's (1927),
  which takes the crops for independent; *by photo group* is the interval of a bootstrap that draws whole photo
  groups.
- **Precision, recall, F1** of a class as scikit-learn defines them, 0/0 counting as 0. **Macro-F1** is the mean of
  F1 over the classes, **balanced accuracy** the mean of recall, each class counting alike however rare it is.
- **ROC-AUC**: the chance that a crop of a class gets a higher probability of it than a crop of another class, ties
  counting half; of *without_mask* with two classes, the mean over each class against the others with three. Where
  folds are pooled, probabilities of different networks are ranked together.
- The 95 % intervals of macro-F1, balanced accuracy and ROC-AUC come from {resamples:,} bootstrap draws of photo
  groups, as many as there are, with replacement (Efron and Tibshirani 1993): faces of one photo move together.
- Where hardly anything is wrong, each draw is as good as the next and a bootstrap interval closes up, to nothing where
  nothing is wrong at all; Wilson's interval of the error does not.
- **Which networks differ**: McNemar's exact test (1947) on the crops that two networks both have in their test
  parts, with Holm's correction (1979) over all pairs of a division.
- **Floor**: always answering the class that is most frequent among the test crops, without looking at any.
- **Asked with or without**: a network of three classes among those of two. Its test crops without
  *mask_weared_incorrect*, its probabilities of the other two classes divided by their sum.
- Bold marks the best of a column, not that it is better than the next by more than chance."""
