from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from maskdet.classifier.inference.model import MaskClassifier
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.runtime import TorchRuntime
from maskdet.errors import DeviceError
from maskdet.sessions.devices import device_name, onnx_providers, openvino_device, torch_device
from maskdet.sessions.onnx_session import open_session
from maskdet.weights import default_model


@pytest.mark.parametrize(
    ("device", "name"),
    [
        (0, "0"),
        (np.int64(1), "1"),
        ("cuda:0", "cuda:0"),
        (" CPU", "cpu"),
        ("cpu:0", "cpu"),
        (None, "cpu"),
        (-1, "-1"),
        ("openvino:GPU", "openvino:GPU"),
    ],
)
def test_what_python_callers_give(device: Any, name: str) -> None:
    assert device_name(device) == name


def test_a_torch_device() -> None:
    torch = pytest.importorskip("torch")
    for given, name in (("cpu", "cpu"), ("cuda", "cuda"), ("cuda:1", "cuda:1"), ("mps", "mps")):
        assert device_name(torch.device(given)) == name


@pytest.mark.parametrize("device", [1.0, True, [0], (0, 1), b"cpu", object(), {}])
def test_what_is_no_device_is_named(device: Any) -> None:
    for model in (MaskDetector, MaskClassifier):
        with pytest.raises(TypeError, match=f"device must be .* not {type(device).__name__}"):
            model(device=device)


@pytest.mark.parametrize("device", [0, "0", "cuda:0", "cuda", -1, "gpu", "", "0,1", "cuda:x", "\u0663"])
def test_a_device_that_is_not_there(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    for model in (MaskDetector, MaskClassifier):
        with pytest.raises(DeviceError, match=f"device '{device}'"):
            model(device=device)


@pytest.mark.parametrize("device", ["cuda:x", "cuda:", "gpu", "\u0663", "cpu:cpu"])
def test_what_is_no_device_of_torchs(device: str) -> None:
    with pytest.raises(DeviceError, match="is none of torch's"):
        torch_device(device)


EVERY = ["CUDAExecutionProvider", "CoreMLExecutionProvider", "DmlExecutionProvider", "CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("device", "first"),
    [
        ("0", ("CUDAExecutionProvider", {"device_id": "0"})),
        ("cuda:1", ("CUDAExecutionProvider", {"device_id": "1"})),
        ("cuda", ("CUDAExecutionProvider", {"device_id": "0"})),
        ("coreml", "CoreMLExecutionProvider"),
        ("CoreML", "CoreMLExecutionProvider"),
        ("directml", "DmlExecutionProvider"),
        ("dml", "DmlExecutionProvider"),
    ],
)
def test_each_device_has_its_provider(device: str, first: Any) -> None:
    assert onnx_providers(device, EVERY) == [first, "CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ("0", "device '0' needs onnxruntime-gpu in place of onnxruntime"),
        ("coreml", "needs onnxruntime on macOS"),
        ("dml", "needs onnxruntime-directml"),
        ("openvino:GPU", "belongs to OpenVINO: --runtime openvino"),
        ("gpu", "unknown device 'gpu'; the devices are cpu, 0"),
        ("", "unknown device ''"),
    ],
)
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, device: str, reason: str) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceError, match=reason):
        open_session(default_model().path, device=device)


def test_a_provider_that_does_not_start_is_no_quiet_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    class FellBack:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: EVERY)
    monkeypatch.setattr(onnxruntime, "InferenceSession", FellBack)
    with pytest.raises(DeviceError, match="device '0': CUDAExecutionProvider does not start here"):
        open_session(default_model().path, device="0")


@pytest.mark.parametrize(
    ("device", "available", "name"),
    [
        ("cpu", ["CPU"], "CPU"),
        ("openvino", ["CPU"], "CPU"),
        ("openvino:GPU", ["CPU", "GPU.0", "GPU.1"], "GPU"),
        ("openvino:gpu.1", ["CPU", "GPU.0", "GPU.1"], "GPU.1"),
        ("openvino:AUTO", ["CPU"], "AUTO"),
    ],
)
def test_openvino_names(device: str, available: list[str], name: str) -> None:
    assert openvino_device(device, available) == name


def test_openvino_refuses() -> None:
    with pytest.raises(DeviceError, match="OpenVINO finds no GPU here, only CPU"):
        openvino_device("openvino:GPU", ["CPU"])
    with pytest.raises(DeviceError, match="device '0' is none of OpenVINO's"):
        openvino_device("0", ["CPU"])


def test_torch_refuses(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="device 'coreml' is none of torch's"):
        torch_device("coreml")
    torch = pytest.importorskip("torch")
    pytest.importorskip("ultralytics")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="needs an NVIDIA GPU"):
            TorchRuntime(tmp_path / "a.pt", name="a", device="0")
