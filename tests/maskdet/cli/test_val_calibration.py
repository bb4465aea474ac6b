from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from maskdet.cli import main
from maskdet.detector.inference.runtime import ModelSpec, OnnxRuntime

pytest.importorskip("faster_coco_eval")
onnx = pytest.importorskip("onnx")

Run = Callable[..., tuple[int, str, str]]


class OneRight:
    """A runtime that finds a face where one is labelled, with 0.78, and two where none is, with 0.31 and 0.85."""

    spec = ModelSpec("fixed", 64, 32, True, {})

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        rows = [[32, 16, 20, 20, 0.78, 0, 0], [8, 8, 8, 8, 0.31, 0, 0], [56, 8, 8, 8, 0.85, 0, 0]]
        return np.stack([np.array(rows, dtype=np.float32).T] * len(batch))


@pytest.fixture
def calibrate(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    write_png: Callable[..., Path],
    as_exported: Path,
) -> Run:
    """Return a function that calibrates, in a folder with two folds and two copies of the shipped detector."""
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

    def call(*args: str, data: str = "folds", models: str = "fold{fold}.onnx") -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["val", f"data={data}", f"model={models}", "--folds", "--calibrate", *args])
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


def test_figures_diagram_and_files(calibrate: Run, tmp_path: Path, as_exported: Path) -> None:
    pytest.importorskip("matplotlib")
    code, printed, _ = calibrate("--json", "cal.json", "--save", "out", "--final", str(as_exported))
    assert code == 0
    read = json.loads((tmp_path / "cal.json").read_text())
    assert read["schema"] == "maskdet-calibration-folds/1"
    assert read["command"] == (
        "maskdet val data=folds 'model=fold{fold}.onnx' --json cal.json --save out --folds --calibrate"
        " --final plain.onnx"
    )
    assert read["data"] == {"name": "folds", "folds": 2, "photos": 4}
    # Each photo has .78 right, .31 and .85 wrong: three bins, of which the gaps are 1 − .78, .31 and .85.
    assert read["methods"]["none"]["above"]["0.25"]["detections"] == 12
    assert read["methods"]["none"]["above"]["0.25"]["ece"]["value"] == pytest.approx((0.22 + 0.31 + 0.85) / 3, abs=1e-6)
    assert "temperature_and_bias" in printed
    assert (tmp_path / "out/reliability.png").read_bytes().startswith(b"\x89PNG")
    fitted = read["methods"]["temperature_and_bias"]
    for name, wanted in zip(("fold1", "fold2", "plain"), [*fitted["folds"], fitted["final"]], strict=True):
        metadata = OnnxRuntime(tmp_path / f"out/{name}.onnx", name="a").spec.metadata
        said = json.loads(metadata["maskdet_calibration"])
        assert (said["temperature"], said["bias"]) == pytest.approx((wanted["temperature"], wanted["bias"]), abs=1e-6)
        assert said["ece_before"]["0.25"] == read["methods"]["none"]["above"]["0.25"]["ece"]["value"]


def test_what_cannot_be_used_is_one_line(calibrate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*arguments: str, **places: str) -> str:
        code, _, err = calibrate(*arguments, **places)
        assert code == 2
        return err.strip().splitlines()[-1]

    assert "none: has no folds" in refused(data="none")
    assert "needs {fold} in its name" in refused(models="fold1.onnx")
    assert "--final goes with --calibrate and --save" in refused("--final", "fold1.onnx")
    assert "conf= has no meaning with --calibrate" in refused("conf=0.5")
    # The detectors themselves are never written over.
    assert "fold1.onnx" in refused("--save", ".")

    class Calibrated(OneRight):
        spec = ModelSpec("fixed", 64, 32, True, {"maskdet_calibration": "{}"})

    monkeypatch.setattr("maskdet.detector.inference.model.load_runtime", lambda path, **_: Calibrated())
    assert "fold1.onnx: is calibrated already" in refused()
