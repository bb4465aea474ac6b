"""Three words for seven options: what each stands for, and that single options win."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskdet
from maskdet.classes import CLASS_NAMES
from maskdet.cli.options.model import ModelOptions
from maskdet.prediction.pipeline import choose_predictor
from maskdet.prediction.quality import default_mode, with_quality
from maskdet.weights import default_model, shipped_models

NOTHING = {"weights": None, "mode": None, "imgsz": None, "close_ups": None, "augment": None}


def test_what_each_word_stands_for() -> None:
    assert with_quality("standard", **NOTHING) == NOTHING
    assert with_quality("fast", **NOTHING) == {**NOTHING, "weights": "maskdet-n-int8", "mode": "detect", "imgsz": 512}
    own = {"weights": "own.onnx", "mode": None}
    assert with_quality("fast", **own) == {**own, "mode": "detect"}
    assert with_quality("best", **NOTHING) == {**NOTHING, "weights": "maskdet-s"}
    with pytest.raises(ValueError, match="quality must be one of fast, standard, best, not 'good'"):
        with_quality("good", **NOTHING)  # type: ignore[arg-type]


def test_single_options_win() -> None:
    given = {"weights": "own.onnx", "mode": "chain", "imgsz": 320, "close_ups": False, "augment": False}
    for quality in ("fast", "standard", "best"):
        assert with_quality(quality, **given) == given


def test_the_words_name_shipped_detectors() -> None:
    assert {"maskdet-n-int8", "maskdet-s"} <= shipped_models().keys()


@pytest.mark.parametrize(
    ("typed", "mode", "weights", "close_ups", "augment"),
    [
        ({}, "chain", None, None, None),
        ({"weights": "maskdet-s"}, "chain", "maskdet-s", None, None),
        ({"weights": "own.onnx"}, "detect", "own.onnx", None, None),
        ({"weights": "own.onnx", "classifier": "c.onnx"}, "chain", "own.onnx", None, None),
        ({"quality": "fast"}, "detect", "maskdet-n-int8", None, None),
        ({"quality": "fast", "classifier": "c.onnx"}, "chain", "maskdet-n-int8", None, None),
        ({"quality": "best"}, "chain", "maskdet-s", None, None),
        ({"quality": "best", "mode": "detect", "close_ups": True}, "detect", "maskdet-s", True, None),
    ],
)
def test_the_command_lines_options(
    typed: dict[str, Any], mode: str, weights: str | None, close_ups: bool | None, augment: bool | None
) -> None:
    settled = ModelOptions(**typed).settled()
    assert settled.imgsz == (512 if typed.get("quality") == "fast" else None)
    assert (settled.mode, settled.weights, settled.close_ups, settled.augment) == (mode, weights, close_ups, augment)
    assert settled.settled() == settled


def test_a_detector_of_ones_own_answers_alone(use_registry: Callable[[Mapping[str, Any]], Path]) -> None:
    shipped = default_model()
    assert default_mode(None) == default_mode(shipped.name) == default_mode(shipped.path) == "chain"
    assert default_mode("own.onnx") == default_mode(Path("maskdet-n.onnx")) == "detect"
    # Nor is there a chain without the classifier: none in the registry, or its file is not there.
    entry = {**shipped.card, "task": "detect", "file": str(shipped.path), "sha256": shipped.sha256}
    registry = {"default": {"detect": "n"}, "models": {"n": entry}}
    use_registry(registry)
    assert default_mode(None) == "detect"
    gone = {"task": "classify", "file": "gone.onnx", "sha256": "0"}
    use_registry({"default": {"detect": "n", "classify": "c"}, "models": {"n": entry, "c": gone}})
    assert default_mode(None) == "detect"
    use_registry({"default": {"detect": "n"}, "models": {"n": {**entry, "classes": list(CLASS_NAMES)[:2]}}})
    assert default_mode(None) == "detect"


def test_predict_takes_it_too(tiny_classifier: Path, sure_of_masks: Path) -> None:
    grey = np.full((32, 64, 3), 128, np.uint8)
    fast = maskdet.predict(grey, quality="fast", imgsz=64)
    assert isinstance(fast, maskdet.MaskResult) and fast.model.name == "maskdet-n-int8"
    with pytest.raises(TypeError, match="quality chooses the detector"):
        choose_predictor(detector=maskdet.MaskDetector(sure_of_masks), quality="fast")
    # A detector of one's own answers alone, and with the classifier where one is given.
    alone = maskdet.predict(grey, weights=sure_of_masks)
    chained = maskdet.predict(grey, weights=sure_of_masks, classifier=maskdet.MaskClassifier(tiny_classifier))
    assert isinstance(alone, maskdet.MaskResult) and isinstance(chained, maskdet.MaskResult)
    assert [face.classifier is None for face in (*alone.faces, *chained.faces)] == [True, False]
