"""What ``yolo predict`` is given: the same weights in torch, with the same answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskdet.benchmark import commands
from maskdet.benchmark.detectors import with_torch_twin
from maskdet.benchmark.section import Settings
from maskdet.detector.inference.model import MaskDetector

CREW = Path(__file__).resolve().parents[3] / "examples" / "crew.jpg"


@pytest.mark.filterwarnings("ignore")
def test_the_twin_finds_the_same_faces() -> None:
    ultralytics = pytest.importorskip("ultralytics")
    pytest.importorskip("onnx")
    with with_torch_twin(Settings()) as settings:
        assert settings == replace(Settings(), yolo_weights=settings.yolo_weights)
        path = Path(str(settings.yolo_weights))
        assert path.name == "maskdet-n.pt"
        (theirs,) = ultralytics.YOLO(path).predict(CREW, imgsz=640, device="cpu", verbose=False)
    assert not path.exists()
    import cv2

    as_yolo = MaskDetector(conf=0.25, agnostic_nms=False, close_ups=False)
    ours = as_yolo.detect(np.asarray(cv2.imread(str(CREW)), np.uint8)).faces
    assert [face.class_id for face in ours] == theirs.boxes.cls.int().tolist()
    np.testing.assert_allclose([face.box for face in ours], theirs.boxes.xyxy.numpy(), atol=0.5)
    np.testing.assert_allclose([face.confidence for face in ours], theirs.boxes.conf.numpy(), atol=1e-3)


@pytest.mark.parametrize("asked", [Settings(yolo=False), Settings(yolo_weights="my.pt")])
def test_elsewhere_settings_stay(asked: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "yolo_is_there", lambda: True)
    with with_torch_twin(asked) as settings:
        assert settings == asked


def test_a_file_that_names_no_network_is_run_as_it_is(
    write_detector: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Settings(weights=str(write_detector(tmp_path / "own.onnx")))
    monkeypatch.setattr(commands, "yolo_is_there", lambda: True)
    with with_torch_twin(asked) as settings:
        assert settings == asked


def test_without_ultralytics_settings_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "yolo_is_there", lambda: False)
    with with_torch_twin(Settings()) as settings:
        assert settings == Settings()
