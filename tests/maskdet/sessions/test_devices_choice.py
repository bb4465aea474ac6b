from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.errors import WeightsError
from maskdet.sessions.devices import choose_runtime


@pytest.mark.parametrize(
    ("file", "wanted", "device", "chosen"),
    [
        ("a.onnx", "auto", "cpu", "onnx"),
        ("a.onnx", "auto", "0", "onnx"),
        ("a.onnx", "auto", "openvino:GPU", "openvino"),
        ("a.onnx", "openvino", "cpu", "openvino"),
        ("a.ONNX", "onnx", "cpu", "onnx"),
        ("a.pt", "auto", "cpu", "torch"),
        ("a.pt", "auto", "openvino:GPU", "torch"),  # torch then says that this is no device of its own
        ("a.xml", "auto", "cpu", "openvino"),
        (".", "auto", "cpu", "openvino"),  # a folder
    ],
)
def test_the_file_decides(file: str, wanted: str, device: str, chosen: str) -> None:
    assert choose_runtime(Path(file), wanted, device) == chosen


@pytest.mark.parametrize(
    ("file", "wanted", "reason"),
    [
        ("a.onnx", "torch", "the runtime torch cannot read it, but onnx and openvino can"),
        ("a.pt", "openvino", "the runtime openvino cannot read it, but torch can"),
        (".", "onnx", "the runtime onnx cannot read it, but openvino can"),
        ("a.bin", "auto", "expected .onnx, .pt or an OpenVINO folder"),
    ],
)
def test_what_does_not_fit(file: str, wanted: str, reason: str) -> None:
    with pytest.raises(WeightsError, match=reason):
        choose_runtime(Path(file), wanted)


def test_an_unknown_runtime() -> None:
    with pytest.raises(ValueError, match="the runtimes are auto, onnx, openvino, torch"):
        choose_runtime(Path("a.onnx"), "tflite")


def test_bfloat16_is_openvinos() -> None:
    assert choose_runtime(Path("a.onnx"), precision="bf16") == "openvino"
    assert choose_runtime(Path("a.onnx"), "openvino", precision="bf16") == "openvino"
    assert choose_runtime(Path("a.onnx"), precision="fp32") == "onnx"
    with pytest.raises(ValueError, match="precision bf16 is OpenVINO's: onnx computes in fp32 only"):
        choose_runtime(Path("a.onnx"), "onnx", precision="bf16")
    with pytest.raises(ValueError, match="torch computes in fp32 only"):
        choose_runtime(Path("a.pt"), precision="bf16")
    with pytest.raises(ValueError, match="unknown precision 'int8': the precisions are fp32, bf16"):
        choose_runtime(Path("a.onnx"), precision="int8")  # type: ignore[arg-type]
