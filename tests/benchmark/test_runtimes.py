from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from maskdet.benchmark.runtimes import runtimes_for


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
