"""Runs put in order and scored: folds of one training pooled, grouped by task and protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.networks.specs import STUDY_NETWORKS, NetworkSpec, TaskName
from maskdet.classifier.study.scores import RESAMPLES, Scores, score
from maskdet.classifier.training.division import FOLDS
from maskdet.classifier.training.run import NetworkRun, PartName, Predictions, ProtocolName
from maskdet.errors import DatasetError
from maskdet.statistics.mcnemar import Comparison, compare_all

SECTION_ORDER: Final[tuple[tuple[TaskName, ProtocolName], ...]] = (
    ("binary", "study"), ("binary", "grouped"), ("three", "study"), ("three", "grouped"),
)  # fmt: skip
_TASK_TITLES: Final[dict[TaskName, str]] = {"binary": "two classes", "three": "three classes"}
_PROTOCOL_TITLES: Final[dict[ProtocolName, str]] = {
    "study": "the study's split by crop",
    "grouped": "split by photo group",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Test crops that training had seen something of, and how many of them and of the rest are answered wrongly.

    ``photo`` counts crops whose photo has another face among the training crops, ``group`` those whose group has; a
    group holds copies and other shots of one scene as well.
    """

    photo: int
    group: int
    group_wrong: int
    group_floor: int
    rest: int
    rest_wrong: int
    rest_floor: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Entry:
    """One network as one row of the report, of one training or of one a fold.

    Attributes:
        label: for people, unique in its section.
        slug: for file names, unique in the report.
        test: the test predictions of all runs.
        train_error: share of training crops that the final network gets wrong, over all folds; None without any.
        overlap: None where the crops' photos are not known.
        folds: an entry for each run, where there are several.
    """

    label: str
    slug: str
    runs: tuple[NetworkRun, ...]
    test: Predictions
    scores: Scores
    train_error: float | None
    dev_error: float | None
    overlap: Overlap | None
    folds: tuple[Entry, ...] = ()

    @property
    def name(self) -> str:
        """The label, and where the test part is some of the folds, how many."""
        return self.label if self.run.fold is None else f"{self.label} ({len(self.runs)} of {FOLDS} folds)"

    @property
    def constant(self) -> str | None:
        """The class that every test crop got, None where the answers differ."""
        given = np.flatnonzero(self.scores.matrix.sum(axis=0))
        return self.run.classes[int(given[0])] if len(given) == 1 else None

    @property
    def run(self) -> NetworkRun:
        """The first run; what its folds have in common is read from it."""
        return self.runs[0]

    @property
    def spec(self) -> NetworkSpec | None:
        """The study's network, None for any other."""
        return _spec(self.run)

    @property
    def as_in_study(self) -> bool:
        """Whether the study trained the same: its own networks, and its backbones from ImageNet weights, frozen."""
        own = self.spec is not None and self.spec.backbone is None
        return own or (self.spec is not None and self.run.weights == "imagenet" and self.run.frozen)

    @property
    def dev_is_test(self) -> bool:
        """Whether training was stopped on the very crops that it was tested on, as with the study's transfer nets."""
        return any(set(run.parts["dev"].crops) & set(run.parts["test"].crops) for run in self.runs)

    def right(self) -> dict[str, bool]:
        """Return by test crop whether its answer is right."""
        answers = self.test.probabilities.argmax(axis=1) == self.test.labels
        return dict(zip(self.test.crops, answers.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """All entries that share task and division, the study's networks first, in its order.

    ``pairs`` compares every two of them on the test crops that both have, one seed of each. The folds are ``earlier``
    ones where photos are divided otherwise today: entries of the two do not stand in one table.
    """

    task: TaskName
    protocol: ProtocolName
    entries: tuple[Entry, ...]
    pairs: list[Comparison]
    earlier: bool = False

    @property
    def title(self) -> str:
        """For people."""
        return f"{_TASK_TITLES[self.task]}, {_PROTOCOL_TITLES[self.protocol]}{', earlier folds' * self.earlier}"

    @property
    def division(self) -> str:
        """How the crops were divided, for tables that programs read: ``study``, ``grouped``, ``grouped-earlier``."""
        return f"{self.protocol}{'-earlier' * self.earlier}"

    @property
    def slug(self) -> str:
        """For file names."""
        return f"{self.task}-{self.division}"


def score_runs(
    runs: Sequence[NetworkRun],
    records: Sequence[CropRecord] | None = None,
    *,
    earlier: Callable[[NetworkRun], bool] | None = None,
    resamples: int = RESAMPLES,
) -> list[Section]:
    """Pool folds, score, and sort runs of any networks, in any order.

    Without records of where the crops come from, each crop is drawn by itself in the bootstrap. ``earlier`` says of a
    grouped run whether its fold is not one of today's; without it all are.

    Raises:
        DatasetError: two runs claim the same place, or a run does not fit the records.
    """
    known = None if records is None else {record.crop: record for record in records}
    families: dict[tuple[object, ...], list[NetworkRun]] = {}
    for run in runs:
        old = earlier is not None and run.protocol == "grouped" and earlier(run)
        recipe = run.recipe.get("name")
        key = (run.task, run.protocol, old, run.name, run.title, run.weights, run.frozen, recipe, run.seed)
        families.setdefault(key, []).append(run)
    sections = []
    for task, protocol, old in ((*kind, old) for kind in SECTION_ORDER for old in (False, True)):
        mine = [family for key, family in families.items() if key[:3] == (task, protocol, old)]
        mine.sort(key=lambda family: _order(family[0]))
        labels = _labels([family[0] for family in mine])
        section = Section(task, protocol, (), [], old)
        entries = tuple(
            _entry(label, section.slug, tuple(family), known, resamples)
            for label, family in zip(labels, mine, strict=True)
        )
        if entries:
            sections.append(replace(section, entries=entries, pairs=_pairs(entries, known)))
    return sections


def _pairs(entries: Sequence[Entry], known: Mapping[str, CropRecord] | None) -> list[Comparison]:
    """Compare the entries, of those that differ in nothing but the seed the first."""
    first: dict[str, int] = {}
    for place, entry in enumerate(entries):
        first.setdefault(re.sub(_SEED, "", entry.label), place)
    places = list(first.values())
    groups = None if known is None else {crop: record.group for crop, record in known.items()}
    pairs = compare_all([entries[place].right() for place in places], groups)
    return [replace(pair, first=places[pair.first], second=places[pair.second]) for pair in pairs]


#: How a label ends where several seeds stand beside each other.
_SEED: Final = r", seed \d+$"


def _spec(run: NetworkRun) -> NetworkSpec | None:
    return STUDY_NETWORKS.get(run.name)


def _order(run: NetworkRun) -> tuple[object, ...]:
    names: list[str] = list(STUDY_NETWORKS)
    place = names.index(run.name) if run.name in names else len(names)
    recipe = run.recipe.get("name") == "study"
    return (place, run.name, run.weights != "imagenet", not run.frozen, run.title, run.weights, recipe, run.seed)


def _labels(runs: Sequence[NetworkRun]) -> list[str]:
    """Call each run by its title, how it differs from the study's, and its seed where that alone tells two apart."""
    labels = []
    for run in runs:
        spec, extra = _spec(run), ""
        if run.weights not in ("imagenet", "random"):
            extra = f", from {run.weights}"
        elif spec is not None and spec.backbone is not None:
            if run.weights == "random":
                extra = ", random and frozen" if run.frozen else ", from scratch"
            elif not run.frozen:
                extra = ", fine-tuned"
        extra = "" if extra.strip(", ") in run.title.lower() else extra
        labels.append(run.title + extra + (", the study's recipe" if run.recipe.get("name") == "study" else ""))
    return [
        f"{label}, seed {run.seed}" if labels.count(label) > 1 else label
        for label, run in zip(labels, runs, strict=True)
    ]


def _entry(
    label: str, prefix: str, runs: tuple[NetworkRun, ...], known: Mapping[str, CropRecord] | None, resamples: int
) -> Entry:
    runs = tuple(sorted(runs, key=lambda run: -1 if run.fold is None else run.fold))
    places = [run.fold for run in runs]
    if len(set(places)) < len(places):
        raise DatasetError(label, f"two trainings of it have the same fold ({prefix}): remove one or give it a title")
    test = _pool([run.parts["test"] for run in runs], label)
    if not test.crops:
        raise DatasetError(label, f"has no predictions for test crops ({prefix}): train it again")
    if known is not None:
        for run in runs:
            for part in run.parts.values():
                stranger = next((crop for crop in part.crops if crop not in known), None)
                if stranger is not None:
                    raise DatasetError(stranger, f"is not in the manifest: {label} was trained on other crops")
    groups = None if known is None else [known[crop].group for crop in test.crops]
    slug = f"{prefix}-{re.sub(r'[^a-z0-9]+', '-', label.lower()).strip('-')}"
    scores = score(test.labels, test.probabilities, groups, resamples=resamples)
    whole = Entry(
        label=label,
        slug=slug,
        runs=runs,
        test=test,
        scores=scores,
        train_error=_error(runs, "train"),
        dev_error=_error(runs, "dev"),
        overlap=None if known is None else _overlap(runs, known, scores.floor.answer),
    )
    if len(runs) == 1:
        return whole
    folds = tuple(_entry(f"{label}, fold {run.fold}", prefix, (run,), known, resamples) for run in runs)
    return replace(whole, folds=folds)


def _pool(parts: Sequence[Predictions], label: str) -> Predictions:
    crops = tuple(crop for part in parts for crop in part.crops)
    if len(set(crops)) < len(crops):
        twice = next(crop for crop in crops if crops.count(crop) > 1)
        raise DatasetError(twice, f"is a test crop twice in {label}: its folds are not of one division")
    return Predictions(
        crops,
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
    )


def _error(runs: Sequence[NetworkRun], name: PartName) -> float | None:
    parts = [run.parts[name] for run in runs]
    count = sum(len(part.crops) for part in parts)
    wrong = sum(int((part.probabilities.argmax(axis=1) != part.labels).sum()) for part in parts if part.crops)
    return wrong / count if count else None


def _overlap(runs: Sequence[NetworkRun], known: Mapping[str, CropRecord], floor: int) -> Overlap:
    """Count the test crops of all folds; ``floor`` is the class that a constant answers."""
    photo = 0
    seen, wrong, floor_wrong = [], [], []
    for run in runs:
        photos = {known[crop].photo for crop in run.parts["train"].crops}
        groups = {known[crop].group for crop in run.parts["train"].crops}
        test = run.parts["test"]
        photo += sum(known[crop].photo in photos for crop in test.crops)
        seen += [known[crop].group in groups for crop in test.crops]
        wrong.append(test.probabilities.argmax(axis=1) != test.labels)
        floor_wrong.append(test.labels != floor)
    each = np.array(seen, dtype=bool)
    kinds = {"group": each, "rest": ~each}
    wrongs = {"": np.ones_like(each), "_wrong": np.concatenate(wrong), "_floor": np.concatenate(floor_wrong)}
    counts = {k + w: int(np.count_nonzero(kind & which)) for k, kind in kinds.items() for w, which in wrongs.items()}
    return Overlap(photo=photo, **counts)


def score_where(
    entry: Entry, keep: Callable[[str], bool], groups: Mapping[str, str], *, resamples: int = RESAMPLES
) -> Scores | None:
    """Score the test crops for whose names ``keep`` holds; ``groups`` names their groups. None where there are none."""
    kept = [place for place, crop in enumerate(entry.test.crops) if keep(crop)]
    names = [groups[entry.test.crops[place]] for place in kept]
    return score(entry.test.labels[kept], entry.test.probabilities[kept], names, resamples=resamples) if kept else None
