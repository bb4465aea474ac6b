from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskdet.chain.evaluation.answers import PhotoAnswers
from maskdet.chain.evaluation.folds import FoldCompareReport, score_folds
from maskdet.chain.evaluation.report import Settings
from maskdet.chain.evaluation.shown import print_fold_scores
from maskdet.chain.predictor import FusionRule
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.folds.report import FoldModel
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.inference.postprocess import Detections

pytest.importorskip("faster_coco_eval")

FACE = np.array([[10, 10, 50, 50]], np.float32)
MASK, BARE = [0.9, 0.1, 0.0], [0.1, 0.9, 0.0]


def answer(detector: list[float], classifier: list[float]) -> PhotoAnswers:
    """Return one face found, with what both networks say of it."""
    scores, second = np.array([detector], np.float32), np.array([classifier], np.float32)
    best = int(scores.argmax())
    shipped = Detections(FACE, scores.max(axis=1), np.array([best]), scores)
    return PhotoAnswers(shipped, FACE, scores, second, second)


def fold(*class_ids: int) -> LabelledSplit:
    truths = tuple(Truth(FACE.astype(float), np.array([class_id])) for class_id in class_ids)
    return LabelledSplit("folds", "val", tuple(Path(f"{at}.png") for at in range(len(class_ids))), truths)


@pytest.fixture
def report() -> FoldCompareReport:
    """The detector calls the second face of fold 1 a mask, more surely than the first; the classifier is right."""
    tests = (fold(0, 1), fold(0, 1))
    groups = (np.array([0, 1]), np.array([2, 3]))
    folds = FoldSet("folds", tests, groups, (np.zeros(2, bool), np.zeros(2, bool)), 0)
    wrong = answer([0.95, 0.1, 0.0], [0.0, 1.0, 0.0])
    answers = [[answer(MASK, MASK), wrong], [answer(MASK, MASK), answer(BARE, BARE)]]
    models = tuple((FoldModel(f"d{k}", "0", 640), FoldModel(f"c{k}", "1", 96)) for k in (1, 2))
    return score_folds(folds, answers, models, FusionRule(1, 0), Settings(0.001, 0.25, 0.7, 0.5, 50, 0))


def test_the_mean_of_folds_and_the_gain_by_hand(report: FoldCompareReport) -> None:
    scores = report.sets["all"]
    masks = {finder: table["ap50"]["all"]["with_mask"] for finder, table in scores.ap.items()}
    # In fold 1 the wrong face comes first: precision a half at every recall.
    assert masks["detector"].folds == masks["shipped"].folds == (0.5, 1.0)
    assert masks["detector"].mean.value == 0.75
    assert masks["chain"].folds == (1.0, 1.0)
    gain = scores.ap_gain["detector"]["ap50"]["all"]["with_mask"]
    assert gain.folds == (0.5, 0.0)
    assert gain.mean.value == 0.25
    # Of fold 1's two photos a draw takes one twice, with no gain, or both, with a gain of a half; where fold 2's draw
    # is the bare face twice, that half stands alone.
    assert (gain.mean.low, gain.mean.high) == (0, 0.5)
    # One box a face, the detector gives both faces of fold 1 the score .1 for bare, and the mask's comes first.
    assert scores.ap_gain["shipped"]["ap50"]["all"]["without_mask"].folds == (1.0, 0.0)
    assert scores.ap_gain["detector"]["ap50"]["all"]["without_mask"].folds == (0.5, 0.0)
    # Fold 1: one of two faces by the detector, both by the chain.
    assert scores.classes["detector"]["accuracy"].folds == (0.5, 1.0)
    assert scores.classes["chain"]["accuracy"].mean.value == 1
    pooled = scores.pooled
    assert (pooled.photos, pooled.faces, pooled.found) == (4, 4, 4)
    assert pooled.classes["all"]["detector"].accuracy.value == 0.75
    assert pooled.classes["all"]["chain"].accuracy.value == 1
    assert pooled.detector.info.name == "d{fold}"


def test_the_report_is_plain_json_and_a_table(report: FoldCompareReport, capsys: pytest.CaptureFixture[str]) -> None:
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read["schema"] == "maskdet-compare-folds/1"
    assert [model["name"] for model in read["detectors"] + read["classifiers"]] == ["d1", "d2", "c1", "c2"]
    assert read["data"]["folds"] == 2
    assert read["ap_gain"]["detector"]["ap50"]["all"]["with_mask"]["value"] == 0.25
    assert read["pooled"]["mcnemar"]["chain_only"] == 1
    print_fold_scores(report)
    out = capsys.readouterr().out
    assert "folds, all photos: 4 photos, 2 folds" in out
    assert "+0.250 (+0.000 to +0.500)" in out
    assert "may be chance" in out


def test_the_series_is_pooled_and_beside_the_mean_of_the_folds() -> None:
    tests = (fold(0), fold(0), fold(0, 1))
    groups = (np.array([0]), np.array([1]), np.array([2, 2]))
    mine = (np.zeros(1, bool), np.zeros(1, bool), np.ones(2, bool))
    folds = FoldSet("folds", tests, groups, mine, 0, ("fold1", "fold2", "series"))
    masked, bare = answer(MASK, MASK), answer(MASK, BARE)  # the detector calls every face a mask
    models = tuple((FoldModel(f"d{k}", "0", 640), FoldModel(f"c{k}", "1", 96)) for k in range(3))
    settings = Settings(0.001, 0.25, 0.7, 0.5, 20, 0)
    report = score_folds(folds, [[masked], [masked], [masked, bare]], models, FusionRule(1, 0), settings)
    assert list(report.sets) == ["all", "without_series", "series"]
    accuracy = {name: scores.classes["detector"]["accuracy"] for name, scores in report.sets.items()}
    assert accuracy["all"].folds == accuracy["without_series"].folds == (1, 1)
    assert accuracy["series"].folds == (0.5,)
    pooled = {name: scores.pooled.classes["all"]["detector"].accuracy.value for name, scores in report.sets.items()}
    assert pooled == {"all": 0.75, "without_series": 1, "series": 0.5}
    read = report.to_dict()
    assert (read["data"]["folds"], read["data"]["photos"], read["without_series"]["photos"]) == (2, 4, 2)
