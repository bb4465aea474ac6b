from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from maskdet.classifier.study.sections import Overlap, score_runs, score_where
from maskdet.classifier.training.run import Predictions
from maskdet.errors import DatasetError


def test_order_and_names(made: ModuleType) -> None:
    runs = made.whole_study(made.crop_records())
    sections = score_runs(runs[::-1], resamples=0)
    assert [section.title for section in sections] == [
        "two classes, the study's split by crop",
        "two classes, split by photo group",
        "three classes, split by photo group",
    ]
    assert [entry.label for entry in sections[0].entries] == [
        "CNN-A", "CNN-B", "CNN-C", "MobileNetV2", "VGG19", "ResNet50, from scratch", "InceptionV3",
    ]  # fmt: skip
    assert [entry.slug for entry in sections[2].entries] == ["three-grouped-maskdet-c-ships"]


def test_names_tell_what_differs(made: ModuleType) -> None:
    records = made.crop_records(24)
    runs = [
        made.one_run(records, "vgg19", weights="random"),
        made.one_run(records, "vgg19", weights="random", frozen=True),
        made.one_run(records, "vgg19", frozen=False),
        made.one_run(records, "vgg19"),
        made.one_run(records, "cnn-a", seed=1),
        made.one_run(records, "cnn-a", seed=0),
        made.one_run(records, "vgg19", weights="random", title="VGG19 from scratch"),
    ]
    (section,) = score_runs(runs, resamples=0)
    assert [entry.label for entry in section.entries] == [
        "CNN-A, seed 0", "CNN-A, seed 1", "VGG19", "VGG19, fine-tuned", "VGG19, random and frozen",
        "VGG19, from scratch", "VGG19 from scratch",
    ]  # fmt: skip
    assert [entry.as_in_study for entry in section.entries] == [True, True, True, False, False, False, False]


def test_folds_are_pooled(made: ModuleType) -> None:
    records = made.crop_records(24)
    runs = [made.one_run(records, protocol="grouped", fold=fold, skill=0.7) for fold in (2, 0, 1)]
    (section,) = score_runs(runs, records, resamples=0)
    (entry,) = section.entries
    assert [fold.run.fold for fold in entry.folds] == [0, 1, 2]
    assert sorted(entry.test.crops) == sorted(record.crop for record in records if record.class_id < 2)
    assert entry.scores.wrong == sum(fold.scores.wrong for fold in entry.folds)
    assert entry.scores.matrix.tolist() == sum(fold.scores.matrix for fold in entry.folds).tolist()
    train = [run.parts["train"] for run in entry.runs]
    wrong = sum(int((part.probabilities.argmax(axis=1) != part.labels).sum()) for part in train)
    assert entry.train_error == wrong / sum(len(part.crops) for part in train)


def test_overlap_by_hand(made: ModuleType) -> None:
    """Photos 0 and 1 are a group. Train has photo 0; test has another face of it, one of photo 1, one of photo 4."""
    records = made.crop_records(24)
    names = {(record.photo, record.face): record for record in records}
    train, test = [names["p0.jpg", 0]], [names["p0.jpg", 1], names["p1.jpg", 1], names["p4.jpg", 0]]
    assert [record.class_id for record in test] == [0, 1, 0]

    def part(crops: list, answers: list[int]) -> Predictions:  # type: ignore[type-arg]
        labels = np.array([record.class_id for record in crops], dtype=np.int64)
        return Predictions(tuple(record.crop for record in crops), labels, np.eye(2)[answers])

    run = replace(
        made.one_run(records), parts={"train": part(train, [0]), "dev": part([], []), "test": part(test, [0, 0, 1])}
    )
    (section,) = score_runs([run], records, resamples=0)
    entry = section.entries[0]
    # The floor answers class 0, which is wrong for the face of photo 1 alone.
    assert entry.overlap == Overlap(photo=1, group=2, group_wrong=1, group_floor=1, rest=1, rest_wrong=1, rest_floor=0)
    assert (entry.train_error, entry.dev_error) == (0, None)
    groups = {record.crop: record.group for record in records}
    first = score_where(entry, lambda crop: crop == test[0].crop, groups, resamples=0)
    assert first is not None and (first.wrong, first.count) == (0, 1)
    assert score_where(entry, lambda crop: False, groups) is None
    assert not entry.dev_is_test


def test_stopping_on_the_test_part_is_noticed(made: ModuleType) -> None:
    records = made.crop_records(24)
    (section,) = score_runs([made.one_run(records, "cnn-a"), made.one_run(records, "vgg19")], resamples=0)
    assert [entry.dev_is_test for entry in section.entries] == [False, True]


def test_runs_that_do_not_fit(made: ModuleType) -> None:
    records = made.crop_records(24)
    run = made.one_run(records)
    with pytest.raises(DatasetError, match="CNN-A: two trainings of it have the same fold"):
        score_runs([run, run], resamples=0)
    with pytest.raises(DatasetError, match="is not in the manifest: CNN-A was trained on other crops"):
        score_runs([run], records[:5], resamples=0)
    fold = made.one_run(records, protocol="grouped", fold=0)
    with pytest.raises(DatasetError, match="is a test crop twice in CNN-A"):
        score_runs([fold, replace(fold, fold=1)], resamples=0)
    empty = Predictions((), np.zeros(0, dtype=np.int64), np.zeros((0, 2)))
    with pytest.raises(DatasetError, match="has no predictions for test crops"):
        score_runs([replace(run, parts=run.parts | {"test": empty})], resamples=0)


def test_earlier_folds_stand_apart(made: ModuleType) -> None:
    """Fold 0 is of an earlier division: it is neither pooled nor compared with the others."""
    records = made.crop_records(24)
    runs = [
        made.one_run(records, name, protocol="grouped", fold=fold) for name in ("cnn-a", "cnn-b") for fold in (0, 1)
    ]
    today, old = score_runs(runs, records, earlier=lambda run: run.fold == 0, resamples=0)
    assert (today.slug, old.slug) == ("binary-grouped", "binary-grouped-earlier")
    assert old.title == "two classes, split by photo group, earlier folds"
    assert [entry.name for entry in old.entries] == ["CNN-A (1 of 5 folds)", "CNN-B (1 of 5 folds)"]
    assert [{run.fold for entry in section.entries for run in entry.runs} for section in (today, old)] == [{1}, {0}]
    assert len({entry.slug for section in (today, old) for entry in section.entries}) == 4


def test_recipe_and_seeds_are_rows_of_their_own_and_one_seed_is_compared(made: ModuleType) -> None:
    records = made.crop_records(24)
    base = made.one_run(records)
    printed = replace(base, recipe=base.recipe | {"name": "study"})
    runs = [base, *(made.one_run(records, seed=seed) for seed in (4, 8)), printed, made.one_run(records, "cnn-b")]
    (section,) = score_runs(runs, records, resamples=0)
    labels = [entry.label for entry in section.entries]
    assert labels == ["CNN-A, seed 0", "CNN-A, seed 4", "CNN-A, seed 8", "CNN-A, the study's recipe", "CNN-B"]
    assert [(labels[pair.first], labels[pair.second]) for pair in section.pairs] == [
        ("CNN-A, seed 0", "CNN-A, the study's recipe"),
        ("CNN-A, seed 0", "CNN-B"),
        ("CNN-A, the study's recipe", "CNN-B"),
    ]


def test_a_constant_answer_is_named(made: ModuleType) -> None:
    records = made.crop_records(24)
    (section,) = score_runs([made.one_run(records), made.one_run(records, "vgg19", skill=0.0)], resamples=0)
    assert [entry.constant for entry in section.entries] == [None, "with_mask"]
