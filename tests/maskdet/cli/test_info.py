from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskdet import weights
from maskdet.cli import main


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["info", *args])
    return int(stop.value.code or 0)


@pytest.fixture
def registry(tiny_classifier: Path, use_registry: Callable[..., Path]) -> dict[str, Any]:
    """A registry of one classifier, in place of the shipped one."""
    entry = {
        "task": "classify",
        "file": str(tiny_classifier),
        "sha256": hashlib.sha256(tiny_classifier.read_bytes()).hexdigest(),
        "imgsz": 8,
        "margin": 0.25,
        "square": True,
        "figures": {"accuracy": 0.9812, "macro_f1": 0.9},
    }
    content: dict[str, Any] = {"default": {"classify": "tiny"}, "models": {"tiny": entry}}
    use_registry(content)
    return content


def test_the_shipped_detector(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json") == 0
    facts = json.loads(capsys.readouterr().out)
    model = facts["models"]["maskdet-n"]
    assert (model["task"], model["imgsz"], model["intact"]) == ("detect", 640, True)
    assert model["map50"] == weights.default_model().card["figures"]["map50"]
    assert "detect" not in facts["no_model"]


def test_a_classifier_is_listed_beside_it(registry: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json") == 0
    facts = json.loads(capsys.readouterr().out)
    model = facts["models"]["tiny"]
    assert (model["task"], model["margin"], model["square"], model["accuracy"]) == ("classify", 0.25, True, 0.9812)
    assert facts["no_model"] == ["detect"]
    assert run() == 0
    out = capsys.readouterr().out
    assert "8 px, square, margin 0.25" in out
    assert "accuracy 0.981, macro-F1 0.900" in out
    assert "no detector is shipped" in out


def test_damage_is_shown(
    registry: dict[str, Any], use_registry: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    registry["models"]["tiny"]["sha256"] = "0" * 64
    use_registry(registry)
    run("--json")
    assert json.loads(capsys.readouterr().out)["models"]["tiny"]["intact"] is False


def test_the_runtimes_at_hand(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from maskdet.cli import info

    versions = {"onnxruntime": "1.2", "openvino": "2026.4"}
    monkeypatch.setattr(info, "PACKAGES", ("onnxruntime", "openvino", "ultralytics"))
    monkeypatch.setattr(info, "openvino_devices", lambda: ["CPU", "GPU"])

    def version(name: str) -> str:
        if name not in versions:
            raise info.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(info.metadata, "version", version)
    assert run("--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["runtimes"], facts["openvino_devices"]) == (["onnx", "openvino"], ["CPU", "GPU"])
    del versions["openvino"]
    assert run("--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["runtimes"], facts["openvino_devices"]) == (["onnx"], [])
