from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskdet.detector.inference.runtime import TorchRuntime
from maskdet.errors import MaskdetError, WeightsError

tasks = pytest.importorskip("ultralytics.nn.tasks")


def test_another_ultralytics_is_no_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(file: str) -> Any:
        raise AssertionError("is never asked")

    monkeypatch.setattr(tasks, "load_checkpoint", load)
    with pytest.raises(MaskdetError, match=r"^ultralytics [\d.]+ is another than maskdet knows \(") as caught:
        TorchRuntime(tmp_path / "a.pt", name="a")
    assert not isinstance(caught.value, WeightsError)


def test_what_is_no_fault_of_the_file_is_not_told_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(file: str, device: Any) -> Any:
        raise ImportError("a library is missing")

    monkeypatch.setattr(tasks, "load_checkpoint", load)
    with pytest.raises(ImportError, match="a library is missing"):
        TorchRuntime(tmp_path / "a.pt", name="a")
