from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.cli import main
from maskdet.detector.inference.runtime import OnnxRuntime

pytest.importorskip("faster_coco_eval")
onnx = pytest.importorskip("onnx")

Run = Callable[..., tuple[int, str, str]]


def write_one_right(path: Path, metadata: dict[str, str]) -> None:
    """Write a detector that finds a face where one is labelled, with 0.78, and two beside it, with 0.31 and 0.85."""
    helper, numbers, kind = onnx.helper, onnx.numpy_helper.from_array, onnx.TensorProto.FLOAT
    boxes = np.array([[32, 16, 20, 20], [8, 8, 8, 8], [56, 8, 8, 8]], np.float32).T[None]
    scores = np.array([[0.78, 0, 0], [0.31, 0, 0], [0.85, 0, 0]]).T[None].clip(1e-6)
    stored = {"flat": np.array([-1, 1, 1]), "zero": np.float32(0), "boxes": boxes}
    stored |= {"logits": np.log(scores / (1 - scores)).astype(np.float32)}
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3]),
        helper.make_node("Reshape", ["mean", "flat"], ["means"]),
        helper.make_node("Mul", ["means", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "boxes"], ["placed"]),
        helper.make_node("Add", ["nothing", "logits"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["scores"]),
        helper.make_node("Concat", ["placed", "scores"], ["output0"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("images", kind, ["batch", 3, "height", "width"])],
        [helper.make_tensor_value_info("output0", kind, ["batch", 7, 3])],
        [numbers(np.asarray(value), name) for name, value in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    names = repr(dict(enumerate(CLASS_NAMES)))
    said = {"names": names, "imgsz": "[64, 64]", "stride": "32", "task": "detect"}
    helper.set_model_props(model, {**said, **metadata})
    onnx.save(model, path)


@pytest.fixture
def calibrate(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    write_png: Callable[..., Path],
) -> Run:
    """Return a function that calibrates, in a folder with two folds and a detector of each."""
    for number in (1, 2):
        for name, value in (("a", 60 * number), ("b", 200 + 20 * number)):
            write_png(f"folds/images/fold{number}/{number}{name}.png", size=(32, 64), value=value)
            labels = tmp_path / f"folds/labels/fold{number}/{number}{name}.txt"
            labels.parent.mkdir(parents=True, exist_ok=True)
            labels.write_text("0 0.5 0.5 0.3125 0.625\n")
        names = "names: [with_mask, without_mask, mask_weared_incorrect]\n"
        text = f"train: images/fold{3 - number}\nval: images/fold{number}\n{names}"
        (tmp_path / f"folds/fold{number}.yaml").write_text(text)
        write_one_right(tmp_path / f"fold{number}.onnx", {"number": str(number), "maskdet_seen": ""})
    monkeypatch.chdir(tmp_path)

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
    fitted = read["methods"]["per_class"]
    for name, wanted in zip(("fold1", "fold2", "plain"), [*fitted["folds"], fitted["final"]], strict=True):
        metadata = OnnxRuntime(tmp_path / f"out/{name}.onnx", name="a").spec.metadata
        said = json.loads(metadata["maskdet_calibration"])
        for key in ("temperature", "bias"):
            assert len(said[key]) == 3
            assert said[key] == pytest.approx(wanted[key], abs=1e-6)
        assert said["ece_before"]["0.25"] == read["methods"]["none"]["above"]["0.25"]["ece"]["value"]


def test_what_cannot_be_used_is_one_line(calibrate: Run, tmp_path: Path) -> None:
    def refused(*arguments: str, **places: str) -> str:
        code, _, err = calibrate(*arguments, **places)
        assert code == 2
        return err.strip().splitlines()[-1]

    assert "none: has no folds" in refused(data="none")
    assert "needs {fold} in its name" in refused(models="fold1.onnx")
    assert "--final goes with --folds, --calibrate and --save" in refused("--final", "fold1.onnx")
    assert "conf= has no meaning with --calibrate" in refused("conf=0.5")
    # The detectors themselves are never written over.
    assert "fold1.onnx" in refused("--save", ".")

    write_one_right(tmp_path / "fold1.onnx", {"maskdet_calibration": "{}", "maskdet_seen": ""})
    assert "fold1.onnx: is calibrated already" in refused()
