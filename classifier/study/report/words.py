"""The words of the report: what came out, the data, the two divisions, the recipes, the figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.networks.specs import STUDY_NETWORKS
from maskdet.classifier.study.collapse import CollapseRow
from maskdet.classifier.study.published import CROPS, OWN, OWN_PARTS, TRANSFER, TRANSFER_PARTS, p_of_own
from maskdet.classifier.study.report.collapse import collapse_tally
from maskdet.classifier.study.report.groups import find_series, part_sentence, without_series
from maskdet.classifier.study.report.pairs import pairs_sentence
from maskdet.classifier.study.report.text import (
    NONE,
    error_intervals,
    join_names,
    p_value,
    percent,
    ratio_interval,
    table,
)
from maskdet.classifier.study.scores import RESAMPLES
from maskdet.classifier.study.sections import Entry, Section
from maskdet.classifier.training.run import PARTS


def summary(sections: Sequence[Section], collapse: Sequence[CollapseRow], records: Sequence[CropRecord] = ()) -> str:
    """Return what the report is about, the best network of each section, and what the study's numbers say."""
    lines = [_study(), *(_best(section, records) for section in sections)]
    lines += [
        f"{section.title[0].upper()}{section.title[1:]}: {pairs_sentence(section)}"
        for section in sections
        if section.pairs
    ]
    if collapse:
        lines.append(f"Trainings of the collapse experiment that end in a constant answer: {collapse_tally(collapse)}.")
    parts = [
        "A student study of January 2023, *Mask Detection Using Convolutional Neural Networks*, cuts the faces out "
        "of 853 photos and lets seven networks say who wears a mask. This report trains seven networks with the same "
        "parameter counts, to the unit, and puts three things side by side: what the study printed, what its numbers "
        "really say, and what we measured. The study prints no layer, no input size, no learning rate and no "
        "augmentation: layers and inputs are inferred from its counts ([how surely](#parameters)), and our recipes are "
        "our own where not said otherwise. "
        "The floor in each table is the score of always giving the most frequent answer; a network must beat it to "
        "have learned anything.",
        "\n".join(f"- {line}" for line in lines),
    ]
    both = _both_divisions(sections, records)
    if both:
        parts.append(
            "The same networks, divided in two ways. By crop, test faces share photos with training faces; by photo "
            "group they do not. The two test parts are of different photos: beside each other they say what a split by "
            "photo costs only where both are without the series of selfies, which is easy and of which a test part may "
            "hold any share, and only within their intervals.\n\n" + both
        )
    return "\n\n".join(parts)


def _study() -> str:
    constant = join_names([STUDY_NETWORKS[name].title for name, transfer in TRANSFER.items() if transfer.constant])
    first, *_, last = OWN
    least, greatest = (p_value(p) for p in p_of_own(first, last))
    counts = [f"{fewest} to {most}" for fewest, most in (own.test_wrong for own in OWN.values())]
    return (
        f"The study: {constant} answer *with_mask* for every one of {TRANSFER_PARTS[1]} test crops. Its own networks "
        f"get {join_names(counts)} of {OWN_PARTS[2]} wrong; whether they differ cannot be told from that: between the "
        f"first and the last of them McNemar's p lies anywhere from {least} to {greatest}, by which crops they "
        "share. Its F1 column counts nearly every crop as *without_mask*, whatever was learned, and "
        "says nothing of the networks."
    )


def _best(section: Section, records: Sequence[CropRecord]) -> str:
    errors = [entry.scores.wrong / entry.scores.count for entry in section.entries]
    first, *others = [entry for entry, error in zip(section.entries, errors, strict=True) if error == min(errors)]
    scores = first.scores
    what = "only" if len(section.entries) == 1 else "least wrong"
    level = f" (level with {join_names([entry.label for entry in others])})" if others else ""
    return (
        f"{section.title[0].upper()}{section.title[1:]}: {what} {first.name}{level}, "
        f"error {error_intervals(scores)}, balanced accuracy {ratio_interval(scores.balanced_accuracy)}; "
        f"floor {percent(scores.floor.error)}."
    ) + (f" {part_sentence(first, records)}" if records and section.protocol == "grouped" else "")


def _both_divisions(sections: Sequence[Section], records: Sequence[CropRecord]) -> str:
    """Return errors by crop beside those by photo group, for networks that have both; empty without any."""
    rows = []
    for task, name in (("binary", "two classes"), ("three", "three classes")):
        by_crop = {
            entry.label: entry
            for section in sections
            if section.division == "study" and section.task == task
            for entry in section.entries
        }
        for section in sections:
            both = [entry for entry in section.entries if section.protocol == "grouped" and entry.label in by_crop]
            if section.task != task or not both:
                continue
            folds = "earlier folds" if section.earlier else "today's folds"
            pairs = [(by_crop[entry.label], entry) for entry in both]
            rows += [[one.name, f"{name}, {folds}", *_two_sides((crop, one), records)] for crop, one in pairs]
            floors = [percent(one.scores.floor.error) for one in pairs[-1]]
            rows.append(["*floor: always the same*", f"{name}, {folds}", *floors, NONE, NONE])
    columns = [
        "network", "classes, folds", "error, split by crop", "error, split by photo group",
        "by crop, without the series", "by photo group, without the series",
    ]  # fmt: skip
    return table(columns, rows, left=2) if rows else ""


def _two_sides(pair: tuple[Entry, Entry], records: Sequence[CropRecord]) -> list[str]:
    """Return the errors by crop and by photo group, of all test crops and of those outside the series."""
    series = find_series(records)
    rest = [None if series is None else without_series(entry, series, records) for entry in pair]
    return [error_intervals(entry.scores) for entry in pair] + [
        NONE if one is None else error_intervals(one) for one in rest
    ]


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
            [entry.name, *_part_sizes(entry), section.title, percent(1 - entry.scores.floor.error)]
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
            "group on one side: nothing of the test has been seen. Those figures are of new photos of this same "
            "collection, and as good as their test part, which one fold out of five draws by chance: *1 of 5 folds* is "
            "said where a network was tested on one only. The majority share is what always giving one answer gets "
            "right.",
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
- **Error**: share of crops whose most probable class is not the labelled one. Its 95 % interval *by face* is Wilson's
  (1927), which takes the crops for independent; *by group* is that of a bootstrap that draws whole photo groups.
  Neither holds what another seed or another training would have given.
- **Precision, recall, F1** of a class as scikit-learn defines them, 0/0 counting as 0. **Macro-F1** is the mean of
  F1 over the classes, **balanced accuracy** the mean of recall, each class counting alike however rare it is.
- **ROC-AUC**: the chance that a crop of a class gets a higher probability of it than a crop of another class, ties
  counting half; of *without_mask* with two classes, the mean over each class against the others with three. Where
  folds are pooled, probabilities of different networks are ranked together.
- The 95 % intervals of macro-F1, balanced accuracy and ROC-AUC come from {resamples:,} bootstrap draws of photo
  groups, as many as there are, with replacement (Efron and Tibshirani 1993): faces of one photo move together.
- Where hardly anything is wrong, each draw is as good as the next and a bootstrap interval closes up, to nothing where
  nothing is wrong at all; Wilson's interval of the error does not.
- **Which networks differ**: on the crops that two networks both have in their test parts, the sum over photo groups
  of how many more of a group's crops one got right than the other; its p is the share of all ways to swap the two
  networks' answers group by group that give a sum as far from zero (sign flips, exact; Fisher 1935), with Holm's
  correction (1979) over all pairs of a division. Beside it in `mcnemar.csv` stands McNemar's exact test (1947), the
  same with each face swapped for itself: it takes faces of one photo for independent and is too sure. Of several seeds
  the first is compared.
- **Floor**: always answering the class that is most frequent among the test crops, without looking at any.
- **Asked with or without**: a network of three classes among those of two. Its test crops without
  *mask_weared_incorrect*, its probabilities of the other two classes divided by their sum. It was trained with three
  classes' labels, all its layers, more of the surroundings of a face and another recipe: beside the study's networks it
  shows what can be had, not which architecture is better.
- Bold marks the best of a column, not that it is better than the next by more than chance."""
