from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskdet.detector.evaluation.folds.cross_validation import cross_validate, draw_folds, fold_models
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import WeightsError

pytest.importorskip("faster_coco_eval")

FACE = [100, 100, 140, 140]


def fold(*class_ids: int) -> LabelledSplit:
    """Return a fold with one photo for each class id, one face each."""
    truths = tuple(Truth(np.array([FACE], float), np.array([class_id])) for class_id in class_ids)
    return LabelledSplit("folds", "val", tuple(Path(f"{at}.png") for at in range(len(class_ids))), truths)


def right(class_id: int, confidence: float = 0.9) -> Detections:
    return Detections(np.array([FACE], np.float32), np.float32([confidence]), np.array([class_id]))


NONE = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


def fold_set(*folds: LabelledSplit, groups: list[list[int]]) -> FoldSet:
    series = tuple(np.zeros(len(test.photos), np.bool_) for test in folds)
    return FoldSet("folds", folds, tuple(np.array(group) for group in groups), series, 0)


def test_mean_spread_and_pool_by_hand() -> None:
    # Fold 1 finds both masks; fold 2 one of two, and its other photo is a bare face, found.
    folds = fold_set(fold(0, 0), fold(0, 0, 1), groups=[[0, 0], [1, 1, 1]])
    found = [[right(0), right(0)], [right(0, 0.8), NONE, right(1)]]
    scores = cross_validate(folds, found, found, conf=0.25, resamples=20, seed=0)
    masks = scores.ap["ap50"]["all"]["with_mask"]
    # Half of the recalls 0, .01 … 1 are reached: 51 of 101.
    assert masks.folds == pytest.approx((1.0, 51 / 101))
    assert masks.mean.value == pytest.approx((1 + 51 / 101) / 2)
    assert masks.sd == pytest.approx((1 - 51 / 101) / 2**0.5)
    # All photos of a fold are one group here: every draw is the fold itself.
    assert (masks.mean.low, masks.mean.high) == pytest.approx((masks.mean.value, masks.mean.value))
    assert masks.pooled is not None
    assert masks.pooled.value == pytest.approx(76 / 101)  # three of four: recalls up to .75
    bare = scores.ap["ap50"]["all"]["without_mask"]
    assert bare.folds == (None, 1.0)
    assert (bare.mean.value, bare.sd) == (1.0, None)
    mean = scores.ap["ap50"]["all"]["mean"]
    assert mean.folds == pytest.approx((1.0, (51 / 101 + 1) / 2))
    recall = scores.recall["all"]["all"]
    assert recall.folds == pytest.approx((1.0, 2 / 3))
    assert recall.pooled is not None
    assert recall.pooled.value == pytest.approx(4 / 5)
    assert scores.faces["all"] == {"with_mask": 4, "without_mask": 1, "mask_weared_incorrect": 0, "mean": 5}
    assert scores.faces[">32 px"]["mean"] == 5
    assert (scores.photos, scores.groups) == ((2, 3), (1, 1))


def test_draws_keep_groups_whole_and_folds_apart() -> None:
    folds = fold_set(fold(0, 0, 0), fold(0, 0), groups=[[4, 4, 2], [0, 1]])
    first, second = draw_folds(folds, resamples=50, seed=3)
    assert first.shape == (50, 3)
    assert second.shape == (50, 2)
    assert (first[:, 0] == first[:, 1]).all()
    assert (first[:, 0] + first[:, 2] == 2).all()  # two groups, two draws
    assert (second.sum(axis=1) == 2).all()
    assert (first[:, 0] != second[:, 0]).any()


def test_the_series_is_pooled_and_not_averaged() -> None:
    # Both folds are found, one of the two selfies is not.
    folds = fold_set(fold(0), fold(0), fold(0, 0), groups=[[0], [1], [2, 2]])
    folds = replace(folds, parts=("fold1", "fold2", "series"))
    found = [[right(0)], [right(0)], [right(0), NONE]]
    scores = cross_validate(folds, found, found, conf=0.25, resamples=20, seed=0)
    recall = scores.recall["all"]["with_mask"]
    assert (recall.folds, recall.mean.value, recall.sd) == ((1, 1), 1, 0)
    assert recall.pooled is not None
    assert recall.pooled.value == 0.75
    assert (scores.photos, scores.faces["all"]["with_mask"]) == ((1, 1, 2), 4)


def test_models_must_be_one_a_fold(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"fold{number}.onnx").write_bytes(bytes([number]))
    template, parts = str(tmp_path / "fold{fold}.onnx"), ["fold1", "fold2"]
    assert {part: path.name for part, path in fold_models(template, parts).items()} == {
        "fold1": "fold1.onnx",
        "fold2": "fold2.onnx",
    }
    with pytest.raises(WeightsError, match=r"fold3\.onnx: no such file"):
        fold_models(template, [*parts, "fold3"])
    # The series may have no model, and is then not scored.
    assert list(fold_models(template, [*parts, "series"])) == parts
    (tmp_path / "foldseries.onnx").write_bytes(b"\x03")
    assert fold_models(template, [*parts, "series"])["series"].name == "foldseries.onnx"
    with pytest.raises(WeightsError, match=r"needs \{fold\} in its name"):
        fold_models(str(tmp_path / "fold1.onnx"), parts)
    (tmp_path / "fold2.onnx").write_bytes(b"\x01")
    with pytest.raises(WeightsError, match=r"fold2\.onnx: is the same model as fold1\.onnx"):
        fold_models(template, parts)
