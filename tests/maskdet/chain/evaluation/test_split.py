from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import maskdet
from maskdet.chain.evaluation.answers import PhotoAnswers
from maskdet.chain.evaluation.report import FINDERS, NAMERS, CompareReport, Settings, Subject
from maskdet.chain.evaluation.shown import conclusions
from maskdet.chain.evaluation.split import compare, read_labelled, score_answers
from maskdet.chain.predictor import FusionRule
from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.evaluation.operating_point import operating_point
from maskdet.detector.inference.postprocess import Detections
from maskdet.results import ModelInfo

pytest.importorskip("faster_coco_eval")

SETTINGS = Settings(0.001, 0.25, 0.7, 0.5, 200, 0)
SUBJECT = Subject(ModelInfo("made-up", 64, 0.25))


@pytest.fixture
def report(sure_of_masks: Path, two_photos: Path, tiny_classifier: Path) -> CompareReport:
    """A detector that says ``with_mask`` of both, a classifier that is right on both, the classifier alone deciding."""
    detector, classifier = maskdet.MaskDetector(sure_of_masks), maskdet.MaskClassifier(tiny_classifier)
    return compare(detector, classifier, read_labelled(two_photos), rule=FusionRule(1, 0), resamples=200)


def test_the_figures_of_two_photos(report: CompareReport) -> None:
    assert (report.photos, report.faces, report.found) == (2, 2, 2)
    accuracy = {name: row.accuracy.value for name, row in report.classes["all"].items()}
    assert accuracy == {"detector": 0.5, "classifier": 1, "classifier_on_labels": 1, "chain": 1}
    # Of class 0 the detector's F1 is 2 / (2 + 1), of class 1 it is 0.
    assert report.classes["all"]["detector"].macro_f1.value == pytest.approx(1 / 3)
    assert report.labelled_faces["all"].accuracy.value == 1
    assert report.labelled_faces["16-32 px"].faces == 2
    assert report.classes["<16 px"]["chain"].accuracy.value is None
    assert report.confusion["detector"].tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    # Alone, both faces get 0.8 for class 0 and the wrong one comes first: precision a half.
    ap = {finder: report.ap[finder]["all"]["with_mask"].ap50.value for finder in FINDERS}
    assert ap == {"shipped": 0.5, "detector": 0.5, "chain": 1}
    assert report.ap_gain["detector"]["ap50"]["with_mask"].value == 0.5
    assert report.class_gain["accuracy"].value == 0.5
    # The same photos are drawn for both: 0 where both draws are the red photo, 1 where both are the green one.
    assert (report.class_gain["accuracy"].low, report.class_gain["accuracy"].high) == (0, 1)
    discord = report.discord
    assert (discord.both, discord.detector_only, discord.chain_only, discord.neither) == (1, 0, 1, 0)
    assert discord.p == 1
    lines = conclusions(report)
    assert lines[2] == "chain beside detector: accuracy +0.500 (+0.000 to +1.000), macro-F1 +0.667 (+0.000 to +1.000)"
    assert lines[3].startswith("of 2 faces found, 0 right by the detector alone, 1 by the chain alone")


def test_the_detector_as_it_ships_is_scored_as_val_scores_it(
    report: CompareReport, sure_of_masks: Path, two_photos: Path
) -> None:
    val = evaluate(maskdet.MaskDetector(sure_of_masks), two_photos, resamples=200)
    assert report.ap["shipped"] == val.ap


def test_the_report_is_plain_json(report: CompareReport) -> None:
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read["schema"] == "maskdet-compare/1"
    assert list(read["ap"]) == list(FINDERS)
    assert list(read["classes"]["all"]) == list(NAMERS)
    assert read["data"] == {"name": "set/data.yaml", "split": "val", "photos": 2, "faces": 2, "repeated_labels": 0}
    assert read["rule"] == {"weight": 1, "least_side": 0, "floor": 0}
    assert read["ap"]["chain"]["all"]["mean"] == {
        "faces": 2,
        "ap50": {"value": 1.0, "low": 1.0, "high": 1.0},
        "ap50_95": {"value": 1.0, "low": 1.0, "high": 1.0},
    }
    assert read["mcnemar"] == {"both": 1, "detector_only": 0, "chain_only": 1, "neither": 0, "p": 1.0}
    assert read["classifier_on_every_label"]["all"]["accuracy"]["value"] == 1


def random_split(photos: int = 12) -> tuple[LabelledSplit, list[PhotoAnswers]]:
    """Return random faces, and boxes near them with random scores."""
    random = np.random.default_rng(3)
    truths, answers = [], []
    for _ in range(photos):
        count = int(random.integers(1, 5))
        corner = np.arange(count)[:, None] * 60 + random.integers(0, 9, (count, 2))
        boxes = np.concatenate([corner, corner + random.integers(8, 45, (count, 2))], axis=1).astype(np.float64)
        truths.append(Truth(boxes, random.integers(0, 3, count)))
        found = (boxes + random.integers(-3, 4, boxes.shape)).astype(np.float32)
        scores = 0.4 * random.random((count, 3), np.float32)
        order = np.argsort(-scores.max(axis=1))
        tables = [random.dirichlet(np.ones(3), count).astype(np.float32) for _ in range(2)]
        shipped = Detections(found[order], scores.max(axis=1)[order], scores.argmax(axis=1)[order])
        answers.append(PhotoAnswers(shipped, found[order], scores[order], *tables))
    paths = tuple(Path(f"{number}.png") for number in range(photos))
    return LabelledSplit("random/data.yaml", "val", paths, tuple(truths)), answers


def test_a_chain_without_the_classifier_is_the_detector() -> None:
    labelled, answers = random_split()
    report = score_answers(labelled, answers, SUBJECT, SUBJECT, FusionRule(0, 0), SETTINGS)
    assert report.ap["chain"] == report.ap["detector"]
    for rows in report.classes.values():
        assert rows["chain"] == rows["detector"]
    for gain in (*report.ap_gain["detector"]["ap50"].values(), *report.class_gain.values()):
        assert (gain.value, gain.low, gain.high) == (0, 0, 0)
    assert report.discord.p == 1


def test_a_chain_of_the_classifier_alone_names_what_the_classifier_names() -> None:
    labelled, answers = random_split()
    report = score_answers(labelled, answers, SUBJECT, SUBJECT, FusionRule(1, 0), SETTINGS)
    assert report.confusion["chain"].tolist() == report.confusion["classifier"].tolist()


def test_the_confusion_is_that_of_val() -> None:
    labelled, answers = random_split()
    report = score_answers(labelled, answers, SUBJECT, SUBJECT, FusionRule(0.5, 0), SETTINGS)
    point = operating_point(labelled.truths, [answer.shipped for answer in answers], conf=0.25)
    assert report.confusion["detector"].tolist() == point.confusion[:3, :3].tolist()
    assert 0 < report.found < report.faces


def test_sizes_add_up_to_all() -> None:
    labelled, answers = random_split()
    report = score_answers(labelled, answers, SUBJECT, SUBJECT, FusionRule(0.5, 0), replace(SETTINGS, resamples=0))
    sizes = [rows["chain"] for size, rows in report.classes.items() if size != "all"]
    assert sum(row.faces for row in sizes) == report.found
    right = sum(row.faces * (row.accuracy.value or 0) for row in sizes)
    whole = report.classes["all"]["chain"].accuracy.value
    assert whole is not None and math.isclose(right / report.found, whole)


def test_pictures(report: CompareReport, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from maskdet.chain.evaluation.shown import ap_bars, class_bars, save_bars

    bars = ap_bars(report).axes[0].patches
    # AP50: three bars for each of the two labelled classes and their mean.
    assert sorted(round(bar.get_height(), 6) for bar in bars) == pytest.approx(
        sorted([0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.75, 1.0])
    )
    heights = [bar.get_height() for bar in class_bars(report).axes[0].patches]
    assert sorted(heights) == [0.5, 0.5, 1, 1, 1, 1, 1, 1]  # all faces, and those of 16 to 32 px
    written = save_bars(report, tmp_path / "out")
    assert [path.name for path in written] == ["ap.png", "classes.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_tiles_are_refused(sure_of_masks: Path, two_photos: Path, tiny_classifier: Path) -> None:
    detector = maskdet.MaskDetector(sure_of_masks, tile=64)
    with pytest.raises(ValueError, match="tiles"):
        compare(detector, maskdet.MaskClassifier(tiny_classifier), read_labelled(two_photos))
