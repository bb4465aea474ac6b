"""Made-up runs for the report's tests, which the fixture ``made`` gives: deterministic and small, with mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.networks.specs import STUDY_NETWORKS, TaskName
from maskdet.classifier.study.collapse import CollapseRow
from maskdet.classifier.training.run import Epoch, NetworkRun, Predictions, ProtocolName


def crop_records(photos: int = 60, faces: int = 3) -> list[CropRecord]:
    """``faces`` crops a photo, two photos a group; every fifth crop bare, every seventeenth worn incorrectly."""
    records = []
    for photo in range(photos):
        for face in range(faces):
            number = photo * faces + face
            class_id = 2 if number % 17 == 16 else 1 if number % 5 == 4 else 0
            name = f"{CLASS_NAMES[class_id]}/p{photo}_{face}.png"
            box = (10.0 * face, 5.0, 10.0 * face + 8, 23.0)
            records.append(CropRecord(name, f"p{photo}.jpg", face, box, class_id, f"p{photo // 2 * 2}"))
    return records


def answer(crops: Sequence[CropRecord], classes: int, skill: float, seed: int) -> Predictions:
    """Answers that are right with about probability ``skill``; at 0 always the first class, like a dead network."""
    rng = np.random.default_rng(seed)
    labels = np.array([record.class_id for record in crops], dtype=np.int64)
    if skill:
        shown = np.where(rng.random(len(labels)) < skill, labels, rng.integers(0, classes, len(labels)))
        raw = rng.random((len(labels), classes)) + 1.5 * np.eye(classes)[shown]
    else:
        raw = np.tile([4.0, *[1.0] * (classes - 1)], (len(labels), 1))
    return Predictions(tuple(record.crop for record in crops), labels, (raw / raw.sum(axis=1, keepdims=True)).round(6))


def one_run(
    records: Sequence[CropRecord], name: str = "cnn-a", *, task: TaskName = "binary", protocol: ProtocolName = "study",
    fold: int | None = None, skill: float = 0.9, seed: int = 0, weights: str | None = None, frozen: bool | None = None,
    title: str | None = None, epochs: int = 6,
) -> NetworkRun:  # fmt: skip
    """One training; with the study's protocol every eighth crop is test, with folds every third pair of photos."""
    spec = next((spec for spec in STUDY_NETWORKS.values() if spec.name == name), None)
    backbone = spec is not None and spec.backbone is not None
    mine = [record for record in records if task == "three" or record.class_id < 2]
    place = [int(record.photo[1:-4]) // 2 % 3 if protocol == "grouped" else index for index, record in enumerate(mine)]
    if protocol == "grouped":
        test = [record for record, at in zip(mine, place, strict=True) if at == fold]
        rest = [record for record, at in zip(mine, place, strict=True) if at != fold]
    else:
        test = mine[seed % 4 :: 8] if not backbone else mine[seed % 4 :: 4]
        rest = [record for record in mine if record not in test]
    dev, train = (
        (test, rest) if backbone and protocol == "study" else (rest[::9], [r for r in rest if r not in rest[::9]])
    )
    classes = 2 if task == "binary" else 3
    key = sum(map(ord, name)) + seed + (fold or 0) * 31
    return NetworkRun(
        name=name,
        title=title or (spec.title if spec else name),
        task=task,
        protocol=protocol,
        fold=fold,
        weights=weights or ("imagenet" if backbone else "random"),
        frozen=backbone and weights != "random" if frozen is None else frozen,
        recipe={"optimiser": "Adam", "learning rate": 0.001, "batch": 1 if backbone else 32, "augment": None},
        seed=seed,
        parameters=spec.printed_total if spec else 1_000,
        trainable=spec.printed_trainable if spec else 1_000,
        epochs=tuple(
            Epoch(n, 10 + n / 4, 0.5 / n, 0.2 / n, 0.4 / n + 0.01 * n, 0.15 / n + 0.005 * n)
            for n in range(1, epochs + 1)
        ),
        best_epoch=max(1, epochs - 2),
        ms_per_crop=1.25,
        parts={
            "train": answer(train, classes, skill and 0.98, key),
            "dev": answer(dev, classes, skill, key + 1),
            "test": answer(test, classes, skill, key + 2),
        },
    )


def whole_study(records: Sequence[CropRecord]) -> list[NetworkRun]:
    """A whole study: all networks by crop, three of them by photo group, one of another name with three classes."""
    skills = {"cnn-a": 0.95, "cnn-b": 0.9, "cnn-c": 0.92, "mobilenet_v2": 0.97, "vgg19": 0.0, "inception_v3": 0.8}
    runs = [one_run(records, name, skill=skill) for name, skill in skills.items()]
    runs.append(one_run(records, "resnet50", weights="random", skill=0.85))
    for name in ("cnn-a", "cnn-b", "mobilenet_v2"):
        runs += [one_run(records, name, protocol="grouped", fold=fold, skill=0.9, epochs=5 + fold) for fold in range(3)]
    runs += [
        one_run(records, "maskdet-c", title="maskdet-c (ships)", task="three", protocol="grouped", fold=fold, epochs=30)
        for fold in range(3)
    ]
    return runs


def collapse_rows() -> list[CollapseRow]:
    """Two networks, two batches, two scalings, two seeds; batch 1 with plain pixels collapses."""
    return [
        CollapseRow(
            name=name, batch=batch, learning_rate=rate, scaling=scaling, seed=seed, epochs=4,
            train_accuracy=0.8167 if dead else 0.99, dev_accuracy=0.83 if dead else 0.97,
            test_balanced_accuracy=0.5 if dead else 0.95 + seed / 100, dead_units=1.0 if dead else 0.25, collapsed=dead,
        )
        for name in ("vgg19", "mobilenet_v2")
        for batch in (32, 1)
        for scaling in ("imagenet", "1/255")
        for rate in (1e-3, 1e-4)
        for seed in (1, 0)
        for dead in [batch == 1 and scaling == "1/255" and rate == 1e-3]
    ]  # fmt: skip


def pixels(crop: str) -> NDArray[np.uint8]:
    """Pictures of different shapes and sizes, one of them very wide and one a single pixel."""
    number = sum(map(ord, crop))
    shape = ((60, 40), (8, 6), (20, 90), (1, 1), (200, 150))[number % 5]
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.dstack([x * 255 // shape[1], y * 255 // shape[0], np.full_like(x, number % 255)]).astype(np.uint8)
