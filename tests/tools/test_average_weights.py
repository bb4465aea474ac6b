from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("average_weights")


def checkpoint(path: Path, weight: float, count: int, width: int = 2) -> Path:
    network = torch.nn.Sequential(torch.nn.Linear(width, 1), torch.nn.BatchNorm1d(1))
    with torch.no_grad():
        network[0].weight.fill_(weight)
        network[1].num_batches_tracked.fill_(count)
    torch.save({"ema": network.half(), "model": None, "date": path.stem}, path)
    return path


def test_every_value_is_the_mean_and_counters_are_the_first_ones(tool: ModuleType, tmp_path: Path) -> None:
    runs = [checkpoint(tmp_path / f"{count}.pt", weight, count) for weight, count in ((1.0, 3), (2.0, 5), (6.0, 7))]
    written = torch.load(tool.average(tmp_path / "soup" / "last.pt", runs), weights_only=False)
    assert written["model"][0].weight.tolist() == [[3.0, 3.0]]
    assert written["model"][1].num_batches_tracked.item() == 3
    assert (written["ema"], written["date"]) == (None, "3")


def test_other_networks_are_refused(tool: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="the networks differ"):
        tool.average(
            tmp_path / "soup.pt", [checkpoint(tmp_path / "a.pt", 1, 1), checkpoint(tmp_path / "b.pt", 1, 1, width=3)]
        )
