from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.study.sections import score_runs
from maskdet.classifier.training.run import NetworkRun, Predictions

#: Four crops, with, without and twice incorrect; the rare ones are answered "with mask", by a logit of 1 and of 1.98.
LABELS = np.array([0, 1, 2, 2])
LOGITS = np.array([[4.0, 0, 0], [0, 4.0, 0], [1.0, -9, 0], [1.98, -9, 0]])


def run(name: str, logits: object, labels: object = LABELS) -> NetworkRun:
    """Return a run whose dev and test crops get the same answers."""
    odds = np.exp(np.asarray(logits, dtype=float))
    answers = Predictions(
        tuple(f"{place}.png" for place in range(len(odds))), np.asarray(labels), odds / odds.sum(axis=1, keepdims=True)
    )
    parts = {"train": Predictions((), np.zeros(0, np.int64), np.zeros((0, 3))), "dev": answers, "test": answers}
    return NetworkRun(
        name=name, title=name, task="three", protocol="study", fold=None, weights="random", frozen=False,
        recipe={"name": "ours"}, seed=0, parameters=1, trainable=1, epochs=(), best_epoch=0, ms_per_crop=1.0,
        parts=parts,  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_move_adds_to_the_rare_logit_alone(tool: ModuleType) -> None:
    odds = np.exp(LOGITS)
    found = dict(zip(tool.MOVES.tolist(), tool.moved_f1(LABELS, odds / odds.sum(axis=1, keepdims=True)), strict=True))
    # with 2/(2+2), without 1, incorrect 0 · one of both found: 2/(2+1), 1, 2/(1+2) · both found: 1, 1, 1
    assert [found[move] for move in (0.0, 1.5, 2.5)] == pytest.approx([(0.5 + 1 + 0) / 3, (2 / 3 + 1 + 2 / 3) / 3, 1.0])


def test_rows_name_the_smallest_of_the_best_moves(tool: ModuleType) -> None:
    (section,) = score_runs([run("a", LOGITS)], resamples=0)
    assert tool.move_rows(section.entries) == ["| a | 0.500 | 1.000 (+2.00) | 1.000 (+2.00) |"]


def test_two_networks_are_averaged_crop_by_crop(tool: ModuleType) -> None:
    certain = np.eye(len(CLASS_NAMES)) * 20
    runs = [
        run("a", certain[[0, 1, 2, 0]]),
        run("b", certain[[0, 1, 0, 2]] / 2),
        run("c", certain[[0, 1, 2]], LABELS[:3]),
    ]
    (section,) = score_runs(runs, resamples=0)
    # a's answers are the surer ones: with 2/(2+1), without 1, incorrect 2/(1+2); c was tested on fewer crops.
    assert tool.pair_rows(section.entries) == ["| a and b | 0.778 | 0.667 |"]
