from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.cli import main
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.thresholds import KEY, class_thresholds

OWN = dict(zip(CLASS_NAMES, (0.5, 0.3, 0.7), strict=True))
SAID = {KEY: json.dumps({"temperature": 1.0, "bias": 0.0, "best_f1_conf_per_class": OWN})}


@pytest.fixture
def three(write_constant: Callable[..., Path], tmp_path: Path) -> Path:
    """Return a detector that sees a face of each class, all at confidence 0.6."""
    rows = [[10 + 20 * at, 16, 8, 8, *(0.6 if at == other else 0 for other in range(3))] for at in range(3)]
    return write_constant(tmp_path / "three.onnx", rows, SAID)


def test_each_class_is_held_to_its_own_threshold(three: Path) -> None:
    detector = MaskDetector(three, conf="f1")
    (found,) = detector.detect_arrays([np.zeros((64, 64, 3), np.uint8)])
    assert sorted(found.class_ids.tolist()) == [0, 1]
    assert detector.info.conf == pytest.approx(0.3)
    # A threshold for this call alone is one for all classes.
    (found,) = detector.detect_arrays([np.zeros((64, 64, 3), np.uint8)], conf=0.25)
    assert sorted(found.class_ids.tolist()) == [0, 1, 2]


def test_a_file_without_thresholds_and_other_words_are_refused(three: Path) -> None:
    with pytest.raises(ValueError, match=r"b\.onnx holds no thresholds of its own: give conf a number from 0 to 1"):
        class_thresholds("f1", {}, Path("b.onnx"))
    for wrong in (1.5, -0.1, "best"):
        with pytest.raises(ValueError, match="conf must be between 0 and 1, or 'f1', not"):
            MaskDetector(three, conf=wrong)  # type: ignore[arg-type]


def test_the_command_line(three: Path, write_png: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = write_png(size=(64, 64))
    counts = {}
    for conf in ("f1", "0.25", "0.65"):
        with pytest.raises(SystemExit) as stop:
            main(["detect", str(path), "--weights", str(three), "--conf", conf, "--json", "-"])
        assert stop.value.code == 0
        counts[conf] = json.loads(capsys.readouterr().out)["counts"]
    assert [list(counts[conf].values()) for conf in counts] == [[1, 1, 0], [1, 1, 1], [0, 0, 0]]
    for wrong in ("best", "2"):
        with pytest.raises(SystemExit) as stop:
            main(["detect", str(path), "--conf", wrong])
        assert stop.value.code == 2
        assert capsys.readouterr().err.count("\n") <= 5


def test_the_shipped_model_has_its_own() -> None:
    metadata = MaskDetector().metadata
    limits = class_thresholds("f1", metadata, Path("x"))
    noted = json.loads(metadata[KEY])["best_f1_conf_per_class"]
    np.testing.assert_allclose(limits, [noted[name] for name in CLASS_NAMES])
