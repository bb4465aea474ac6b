from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.classifier.training import export
from maskdet.classifier.training.export import export_classifier
from maskdet.errors import WeightsError

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

MEAN, STD = (0.5, 0.25, 0.125), (0.5, 0.25, 0.5)
OPTIONS: dict[str, Any] = {
    "name": "tiny", "side": 16, "mean": MEAN, "std": STD, "margin": 0.2, "square": False, "temperature": 2.0,
}  # fmt: skip


def means() -> Any:
    """A network whose logits are the means of the normalised R, G and B."""
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())


def small_net(classes: int = 3) -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU6(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Dropout(0.5),
        torch.nn.Linear(8, classes),
    )


def test_normalisation_temperature_and_softmax_are_in_the_file(tmp_path: Path) -> None:
    path = export_classifier(means(), tmp_path / "deep" / "tiny.onnx", **OPTIONS)
    assert [child.name for child in path.parent.iterdir()] == ["tiny.onnx"]
    classifier = MaskClassifier(path)
    # R, G, B of 1, 0.5 and 0 on the scale 0 to 1 become logits 1, 1 and -0.25, halved by the temperature.
    crop = np.full((7, 9, 3), (0, 127.5, 255), np.float64).round().astype(np.uint8)
    logits = np.array([(1 - 0.5) / 0.5, (128 / 255 - 0.25) / 0.25, (0 - 0.125) / 0.5]) / 2
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(classifier.probabilities([crop, crop]), [expected, expected], atol=1e-6)
    spec = classifier.spec
    assert (spec.side, spec.margin, spec.square, spec.temperature) == (16, 0.2, False, 2.0)


def test_the_file_explains_itself_without_paths(tmp_path: Path) -> None:
    path = export_classifier(means(), tmp_path / "tiny.onnx", **OPTIONS, metadata={"maskdet_training": "{}"})
    metadata = MaskClassifier(path).spec.metadata
    assert metadata["task"] == "classify"
    assert json.loads(metadata["imgsz"]) == [16, 16]
    assert metadata["license"] == "AGPL-3.0-or-later"
    assert {"name", "description", "author", "version", "names", "maskdet_training"} <= metadata.keys()
    assert json.loads(metadata["maskdet"])["preprocessing"]["channels"] == "RGB"
    assert not any(str(tmp_path) in value for value in metadata.values())


def test_a_trained_network_answers_as_in_torch_and_stays_as_it_was(tmp_path: Path, astronaut: Path) -> None:
    network = small_net()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    face = cv2.imread(str(astronaut))[60:190, 170:280]
    path = export_classifier(network, tmp_path / "tiny.onnx", **OPTIONS, crops=[face.astype(np.uint8)])
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    images = np.random.default_rng(1).random((5, 3, 16, 16), dtype=np.float32)
    shaped = [torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD)]
    with torch.inference_mode():
        logits = network.eval()((torch.from_numpy(images) - shaped[0]) / shaped[1])
        expected = torch.softmax(logits / 2.0, dim=1).numpy()
    np.testing.assert_allclose(MaskClassifier(path).run(images), expected, atol=export.TOLERANCE)


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (export_classifier(small_net(), tmp_path / f"{name}.onnx", **OPTIONS) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_a_file_that_answers_differently_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(b"the earlier one")
    graph = export._graph

    def another(net: Any, side: int) -> bytes:
        net.temperature = 2.01
        return graph(net, side)

    monkeypatch.setattr(export, "_graph", another)
    with pytest.raises(WeightsError, match=r"tiny\.onnx: differs from torch by 0\.00\d+ in probability: not kept"):
        export_classifier(means(), path, **OPTIONS)
    assert [child.read_bytes() for child in tmp_path.iterdir()] == [b"the earlier one"]


@pytest.mark.filterwarnings("ignore")
def test_plain_yolo_reads_it_and_answers_the_same(tmp_path: Path, astronaut: Path) -> None:
    ultralytics = pytest.importorskip("ultralytics")
    path = export_classifier(small_net(), tmp_path / "tiny.onnx", **OPTIONS)
    # At the network's own size, where no two ways of resizing can differ.
    face = cv2.resize(cv2.imread(str(astronaut))[60:190, 170:280], (16, 16)).astype(np.uint8)
    yolo = ultralytics.YOLO(str(path), task="classify")
    answer = yolo.predict(face, imgsz=16, device="cpu", verbose=False, save=False)[0]
    assert list(answer.names.values()) == list(CLASS_NAMES)
    np.testing.assert_allclose(MaskClassifier(path).probabilities([face])[0], answer.probs.data.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"temperature": float("nan")}, "temperature must be above 0"),
        ({"std": (1.0, 0.0, 1.0)}, "std must be above 0"),
        ({"margin": -0.1}, "margin must be between"),
        ({"side": 0}, "side must be between"),
        ({"metadata": {"task": "detect"}}, "itself writes the metadata task"),
    ],
)
def test_options_out_of_range(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        export_classifier(means(), tmp_path / "tiny.onnx", **{**OPTIONS, **change})
    assert list(tmp_path.iterdir()) == []


def test_another_number_of_classes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gives \(8, 2\) for 8 crops, expected \(8, 3\)"):
        export_classifier(small_net(2), tmp_path / "tiny.onnx", **OPTIONS)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="cannot be written"):
        export_classifier(means(), tmp_path / "file" / "tiny.onnx", **OPTIONS)
