from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from maskdet.detector.inference.runtime import ModelSpec, OnnxRuntime

pytest.importorskip("faster_coco_eval")
onnx = pytest.importorskip("onnx")

ROOT = Path(__file__).resolve().parent.parent.parent


class OneRight:
    """A runtime that finds a face where one is labelled, with 0.78, and two where none is, with 0.31 and 0.85."""

    spec = ModelSpec("fixed", 64, 32, True, {})

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        rows = [[32, 16, 20, 20, 0.78, 0, 0], [8, 8, 8, 8, 0.31, 0, 0], [56, 8, 8, 8, 0.85, 0, 0]]
        return np.stack([np.array(rows, dtype=np.float32).T] * len(batch))


@pytest.fixture
def calibrate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, write_png: Callable[..., Path], as_exported: Path
) -> Callable[[list[str]], None]:
    """Return the tool's ``main``, in a folder with two folds and two copies of the shipped detector."""
    model = onnx.load(as_exported)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    for number in (1, 2):
        for name, value in (("a", 60 * number), ("b", 200 + 20 * number)):
            write_png(f"folds/images/fold{number}/{number}{name}.png", size=(32, 64), value=value)
            labels = tmp_path / f"folds/labels/fold{number}/{number}{name}.txt"
            labels.parent.mkdir(parents=True, exist_ok=True)
            labels.write_text("0 0.5 0.5 0.3125 0.625\n")
        names = "names: [with_mask, without_mask, mask_weared_incorrect]\n"
        text = f"train: images/fold{3 - number}\nval: images/fold{number}\n{names}"
        (tmp_path / f"folds/fold{number}.yaml").write_text(text)
        onnx.helper.set_model_props(model, {**metadata, "number": str(number)})
        onnx.save(model, tmp_path / f"fold{number}.onnx")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("maskdet.detector.inference.model.load_runtime", lambda path, **_: OneRight())
    main: Callable[[list[str]], None] = runpy.run_path(str(ROOT / "tools" / "calibrate_detector.py"))["main"]
    return main


def test_figures_diagram_and_files(
    calibrate: Callable[[list[str]], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    files = ["--json", "cal.json", "--png", "out/cal.png", "--write-folds", "out/fold{fold}.onnx"]
    calibrate(["folds", "fold{fold}.onnx", "--resamples", "5", "--method", "temperature", *files])
    read = json.loads((tmp_path / "cal.json").read_text())
    assert read["command"] == "python tools/calibrate_detector.py folds 'fold{fold}.onnx' --method temperature"
    assert read["data"] == {"name": "folds", "folds": 2, "photos": 4}
    # Each photo has .78 right, .31 and .85 wrong: three bins, of which the gaps are 1 − .78, .31 and .85.
    assert read["methods"]["none"]["above"]["0.25"]["detections"] == 12
    assert read["methods"]["none"]["above"]["0.25"]["ece"]["value"] == pytest.approx((0.22 + 0.31 + 0.85) / 3, abs=1e-6)
    assert "temperature_and_bias" in capsys.readouterr().out
    assert (tmp_path / "out/cal.png").read_bytes().startswith(b"\x89PNG")
    for number, fitted in enumerate(read["methods"]["temperature"]["folds"], 1):
        metadata = OnnxRuntime(tmp_path / f"out/fold{number}.onnx", name="a").spec.metadata
        said = json.loads(metadata["maskdet_calibration"])
        assert said["temperature"] == pytest.approx(fitted["temperature"], abs=1e-6)
        assert said["ece_before"]["0.25"] == read["methods"]["none"]["above"]["0.25"]["ece"]["value"]


def test_what_cannot_be_used_is_one_line(
    calibrate: Callable[[list[str]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refused(arguments: list[str]) -> str:
        with pytest.raises(SystemExit) as stop:
            calibrate(arguments)
        assert stop.value.code == 2
        return capsys.readouterr().err.strip().splitlines()[-1]

    assert refused(["none", "fold{fold}.onnx"]).startswith("error: none: has no folds")
    assert "needs {fold} in its name" in refused(["folds", "fold1.onnx"])
    assert "needs {fold} in its name" in refused(["folds", "fold{fold}.onnx", "--write-folds", "out.onnx"])

    class Calibrated(OneRight):
        spec = ModelSpec("fixed", 64, 32, True, {"maskdet_calibration": "{}"})

    monkeypatch.setattr("maskdet.detector.inference.model.load_runtime", lambda path, **_: Calibrated())
    assert "fold1.onnx: is calibrated already" in refused(["folds", "fold{fold}.onnx"])
