from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import maskdet
from maskdet.cli import cli

ModelFile = Callable[..., Path]


@pytest.fixture(scope="module")
def classifier(write_classifier: ModelFile, tmp_path_factory: pytest.TempPathFactory) -> maskdet.MaskClassifier:
    """A classifier that answers by colour: the more of red, green and blue, the surer of the classes in order."""
    return maskdet.MaskClassifier(write_classifier(tmp_path_factory.mktemp("c") / "colour.onnx"))


@pytest.fixture(scope="module")
def detector() -> maskdet.MaskDetector:
    return maskdet.MaskDetector()


def test_compare_keeps_the_detectors_answer_and_adds_the_other(
    astronaut: Path, detector: maskdet.MaskDetector, classifier: maskdet.MaskClassifier
) -> None:
    alone = maskdet.predict(astronaut, detector=detector)
    both = maskdet.predict(astronaut, mode="compare", detector=detector, classifier=classifier)
    assert isinstance(alone, maskdet.MaskResult) and isinstance(both, maskdet.MaskResult)
    assert [(face.name, face.box) for face in both.faces] == [(face.name, face.box) for face in alone.faces]
    image = cv2.imread(str(astronaut))
    assert image is not None
    for face in both.faces:
        expected = classifier.classify_boxes(image, np.array([face.box]))[0]
        assert face.classifier is not None
        assert face.classifier["name"] == maskdet.CLASS_NAMES[int(expected.argmax())]
        assert face.classifier["agrees"] == (face.classifier["name"] == face.name)
    detection = both.to_dict()["detections"][0]
    assert set(detection["classifier"]) == {"name", "confidence", "probabilities", "agrees"}


def test_chain_multiplies_what_both_say(
    astronaut: Path, detector: maskdet.MaskDetector, classifier: maskdet.MaskClassifier
) -> None:
    from maskdet.chain.predictor import DEFAULT_RULE, fuse, shorter_sides
    from maskdet.detector.inference.options import DEFAULT_CONF

    image = cv2.imread(str(astronaut))
    assert image is not None
    # The thresholds in the detector's file are not of this classifier: the chain takes what is found above 0.25.
    (found,) = detector.detect_arrays([image.astype(np.uint8)], conf=DEFAULT_CONF, agnostic=True)
    assert found.scores is not None
    answers = classifier.classify_boxes(image.astype(np.uint8), found.boxes)
    fused = fuse(found.scores, answers, shorter_sides(found.boxes), DEFAULT_RULE)
    chained = maskdet.predict(astronaut, mode="chain", detector=detector, classifier=classifier)
    assert isinstance(chained, maskdet.MaskResult)
    assert chained.confidences.tolist() == pytest.approx(sorted(fused.max(axis=1).tolist(), reverse=True))
    assert sorted(chained.class_ids.tolist()) == sorted(fused.argmax(axis=1).tolist())


def test_classify_takes_the_picture_for_a_face(classifier: maskdet.MaskClassifier) -> None:
    green = np.zeros((20, 10, 3), np.uint8)
    green[..., 1] = 255
    result = maskdet.predict(green, mode="classify", classifier=classifier)
    assert isinstance(result, maskdet.MaskResult)
    assert [(face.name, face.box) for face in result.faces] == [("without_mask", (0, 0, 10, 20))]


def test_a_picture_without_faces(detector: maskdet.MaskDetector, classifier: maskdet.MaskClassifier) -> None:
    for mode in ("chain", "compare"):
        empty = maskdet.predict(np.zeros((64, 64, 3), np.uint8), mode=mode, detector=detector, classifier=classifier)
        assert isinstance(empty, maskdet.MaskResult)
        assert (empty.faces, empty.compliance) == ([], None)


def test_models_that_a_mode_does_not_use(detector: maskdet.MaskDetector, classifier: maskdet.MaskClassifier) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="unknown mode 'guess': the modes are detect, classify, chain, compare"):
        maskdet.predict(image, mode="guess")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="asks no classifier"):
        maskdet.predict(image, mode="detect", detector=detector, classifier=classifier)
    with pytest.raises(TypeError, match="asks no detector"):
        maskdet.predict(image, mode="classify", detector=detector)
    with pytest.raises(TypeError, match="conf belong to the detector"):
        maskdet.predict(image, mode="chain", detector=detector, conf=0.5)


def test_the_command_line(astronaut: Path, write_classifier: ModelFile, tmp_path: Path) -> None:
    weights = write_classifier(tmp_path / "colour.onnx")
    args = ["detect", str(astronaut), "--mode", "compare", "--classifier", str(weights), "--json", "-"]
    done = CliRunner().invoke(cli, args, standalone_mode=False)
    (line,) = done.stdout.splitlines()
    assert "agrees" in json.loads(line)["detections"][0]["classifier"]
    wrong = CliRunner().invoke(
        cli, [*args[:2], "--mode", "detect", "--classifier", str(weights)], standalone_mode=False
    )
    assert "--classifier belongs to --mode chain or compare" in str(wrong.exception)
