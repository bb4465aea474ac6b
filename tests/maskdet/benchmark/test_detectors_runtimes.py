from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from maskdet.benchmark import detectors
from maskdet.benchmark.detectors import RuntimeChoice, runtimes_for, with_bfloat16


@pytest.mark.parametrize(
    ("name", "installed", "found"),
    [
        ("a.onnx", False, ["onnx"]),
        ("a.onnx", True, ["onnx", "openvino"]),
        ("a.pt", True, ["torch"]),
        ("a_openvino_model", False, ["openvino"]),
    ],
)
def test_what_can_run_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, installed: bool, found: list[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: object() if installed else None)
    path = tmp_path / name
    if not path.suffix:
        path.mkdir()
    choices = runtimes_for(path)
    assert [choice.name for choice in choices] == found
    for choice in choices:
        assert choice.options in {(), ("--runtime", choice.name)}


def test_the_int8_twin_beside_a_file_is_run_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: object())
    (tmp_path / "a-int8.onnx").touch()
    assert [(choice.label, choice.int8) for choice in runtimes_for(tmp_path / "a.onnx")] == [
        ("onnx", None),
        ("openvino", None),
        ("onnx, int8", tmp_path / "a-int8.onnx"),
        ("openvino, int8", tmp_path / "a-int8.onnx"),
    ]
    assert [choice.label for choice in runtimes_for(tmp_path / "b.onnx")] == ["onnx", "openvino"]


@pytest.mark.parametrize("there", [True, False])
def test_bfloat16_is_openvinos_and_the_processors(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(detectors, "has_bf16", lambda: there)
    given = [RuntimeChoice("onnx"), RuntimeChoice("openvino", ("--runtime", "openvino"))]
    given += [RuntimeChoice("openvino", int8=Path("a-int8.onnx"))]
    found = with_bfloat16(given)
    assert found[:3] == given
    expected = RuntimeChoice("openvino", ("--runtime", "openvino", "--precision", "bf16"), "bf16")
    assert found[3:] == ([expected] if there else [])
