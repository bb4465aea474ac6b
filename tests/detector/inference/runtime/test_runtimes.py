from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.runtime import OnnxRuntime, load_runtime
from maskdet.errors import WeightsError
from maskdet.weights import ShippedModel, default_model, resolve_weights, shipped_models

WriteModel = Callable[..., Path]


def test_a_static_model_runs_at_its_own_size(tmp_path: Path, write_model: WriteModel) -> None:
    path = write_model(tmp_path / "tiny.onnx")
    detector = MaskDetector(path)
    assert detector.info.imgsz == 64
    assert detector.letterbox(np.zeros((10, 20, 3), np.uint8)).padded == (64, 64)
    # Two pictures, though the network takes one at a time.
    assert [len(found.boxes) for found in detector.detect_arrays([np.zeros((10, 20, 3), np.uint8)] * 2)] == [0, 0]
    with pytest.raises(ValueError, match="exported for 64 px only"):
        MaskDetector(path, imgsz=96)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"names": "{0: 'person', 1: 'bicycle'}"}, "2 classes need 4 + 2 rows"),
        ({"names": "nonsense("}, "its names are no list of class names"),
        ({"task": "segment"}, "its task is segment"),
    ],
)
def test_models_of_other_kinds_are_refused(
    tmp_path: Path, write_model: WriteModel, change: dict[str, str], reason: str
) -> None:
    path = write_model(tmp_path / "other.onnx", change)
    with pytest.raises(WeightsError, match=re.escape(reason)):
        OnnxRuntime(path, name="other")


def test_onnx_without_metadata_is_refused(tmp_path: Path, write_model: WriteModel) -> None:
    with pytest.raises(WeightsError, match="not a mask detector"):
        OnnxRuntime(write_model(tmp_path / "bare.onnx", None), name="bare")


def test_a_checkpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    path = tmp_path / "text.pt"
    path.write_bytes(b"hello")
    with pytest.raises(WeightsError, match="not a YOLO detection checkpoint"):
        load_runtime(path, name="text")


def test_shipped_model_is_intact_and_small() -> None:
    model = default_model()
    assert model.verify().stat().st_size <= 15_000_000
    assert model.card["classes"] == list(CLASS_NAMES)
    assert resolve_weights(None) == (model.name, model.path)
    assert resolve_weights(model.name) == (model.name, model.path)
    assert resolve_weights("runs/best.pt") == ("best", Path("runs/best.pt"))


def test_shipped_model_carries_its_provenance_and_no_path() -> None:
    metadata = MaskDetector().metadata
    assert "maskdet_training" in metadata
    assert not any(value.startswith("/") or " /" in value or '"/' in value for value in metadata.values())


def test_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"not what was shipped")
    with pytest.raises(WeightsError, match=r"damaged: sha256 .* reinstall maskdet"):
        ShippedModel("m", path, "0" * 64, {}).verify()
    with pytest.raises(WeightsError, match="is missing; reinstall"):
        ShippedModel("m", tmp_path / "gone.onnx", "0" * 64, {}).verify()


def test_every_shipped_model_has_a_card() -> None:
    for model in shipped_models().values():
        assert model.path.with_suffix(".md").is_file()


@pytest.mark.parametrize("options", [{"conf": 1.5}, {"iou": -0.1}, {"imgsz": 8}])
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be between"):
        MaskDetector(**options)
