from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.detector.export.to_onnx import compare_runtimes, export
from maskdet.detector.inference.runtime import OnnxRuntime, TorchRuntime
from maskdet.detector.training.train import train
from maskdet.detector.training.unfuse import unfuse
from maskdet.errors import DatasetError, WeightsError
from maskdet.weights import default_model

onnx = pytest.importorskip("onnx")
pytest.importorskip("ultralytics")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


def test_an_unfused_network_answers_as_the_exported_one(astronaut: Path, tmp_path: Path) -> None:
    shipped = default_model().path
    checkpoint = unfuse(shipped, [astronaut], tmp_path / "shipped.pt")
    parity = compare_runtimes(TorchRuntime(checkpoint, name="pt"), OnnxRuntime(shipped, name="onnx"))
    assert parity.holds


def test_normalisation_is_back_with_the_statistics_of_the_photos(astronaut: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    checkpoint = unfuse(default_model().path, [astronaut], tmp_path / "shipped.pt")
    network = torch.load(checkpoint, map_location="cpu", weights_only=False)["model"].float()
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(norms) == 57
    for norm in norms:
        # Scale and deviation are equal, so that a normalised batch gets its own spread back.
        torch.testing.assert_close(norm.weight, (norm.running_var + norm.eps).sqrt())


def test_training_goes_on_from_a_shipped_model_and_from_what_came_of_it(
    astronaut: Path, tiny_data: Path, tmp_path: Path
) -> None:
    settings = {"data": str(tiny_data), "imgsz": 64, "epochs": 1, "batch": 2, "device": "cpu", "plots": False}
    folder = train({**settings, "model": "maskdet-n", "val": False, "project": str(tmp_path), "name": "run"})
    exported = export({"model": str(folder / "weights" / "last.pt")}).path
    again = unfuse(exported, [astronaut], tmp_path / "again.pt")
    parity = compare_runtimes(TorchRuntime(again, name="pt"), OnnxRuntime(exported, name="onnx"))
    assert parity.holds


def test_data_without_training_photos_are_refused_before_anything_is_read(tiny_data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    data = tmp_path / "data.yaml"
    data.write_text(f"train: empty\nval: {tiny_data.parent / 'images' / 'val'}\nnames: [a, b, c]\n")
    with pytest.raises(DatasetError, match=r"data\.yaml: split 'train' has no usable photo"):
        train({"data": str(data), "model": "maskdet-n", "epochs": 1, "device": "cpu"})


def test_a_file_that_does_not_say_what_it_is_is_refused(tmp_path: Path) -> None:
    model = onnx.load(default_model().path)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    with pytest.raises(WeightsError, match=r"which network it is: train from its \.pt file"):
        unfuse(tmp_path / "bare.onnx", [], tmp_path / "bare.pt")


def test_a_file_without_the_weights_is_refused(tmp_path: Path) -> None:
    model = onnx.load(default_model().path)
    del model.graph.initializer[0]
    onnx.save(model, tmp_path / "cut.onnx")
    with pytest.raises(WeightsError, match=r"no float32 weights of model\.0\.conv"):
        unfuse(tmp_path / "cut.onnx", [], tmp_path / "cut.pt")
