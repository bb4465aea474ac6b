"""The INT8 twin of a shipped detector: registered beside it where it is good enough, and only there."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from maskdet import weights
from maskdet.detector.export.compare_networks import Agreement
from maskdet.detector.export.quantise import Quantised

onnx = pytest.importorskip("onnx")

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "maskdet-n-public"
NOTE = {"method": "static, QDQ", "calibration_photos": 64, "calibration_split": "train"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a weights folder with the shipped detector alone."""
    model = weights.shipped_models()[NAME]
    target = tmp_path / "weights"
    target.mkdir()
    for path in (
        model.path,
        model.path.with_suffix(".facts.yaml"),
        weights.FOLDER / model.card["figures"]["report"],
    ):
        shutil.copy(path, target)
    registry = json.loads((weights.FOLDER / "models.json").read_text(encoding="utf-8"))
    registry["default"] = {"detect": NAME}
    registry["models"] = {model.name: registry["models"][model.name]}
    (target / "models.json").write_text(json.dumps(registry), encoding="utf-8")
    return target


def pretend(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, folder: Path, fall: float) -> None:
    """Let quantising mark a copy of the model, and scoring find mAP50-95 lower by ``fall``."""

    def quantise(source: Path, data: Path, **_: Any) -> Quantised:
        model = onnx.load(source)
        model.metadata_props.add(key="maskdet_int8", value=json.dumps(NOTE))
        target = source.with_name(f"{source.stem}-int8.onnx")
        onnx.save(model, target)
        return Quantised(target, 12_900_000, 3_600_000, 64, 2.0, Agreement(1, 1, 1, 0, 1.0, 0.0))

    def score(model: Path, data: Path) -> dict[str, Any]:
        report = copy.deepcopy(json.loads(next(folder.glob("*.val.json")).read_text(encoding="utf-8")))
        report["model"]["sha256"] = hashlib.sha256(model.read_bytes()).hexdigest()
        report["map50_95"] -= fall
        report["ap"]["all"]["mean"]["ap50_95"]["value"] -= fall
        return report

    monkeypatch.setattr(tool, "quantise", quantise)
    monkeypatch.setattr(tool, "score", score)


def test_a_twin_that_is_good_enough_is_registered(
    tool: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = NAME
    pretend(tool, monkeypatch, folder, 0.0025)
    made, fell = tool.ship(name, f"{name}-int8", Path("data.yaml"), folder)
    assert (made.speed, fell) == (2.0, pytest.approx(0.0025))
    registry = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    assert registry["default"]["detect"] == name
    entry, original = registry["models"][f"{name}-int8"], registry["models"][name]
    assert (entry["file"], entry["int8"], entry["recipe"]) == (f"{name}-int8.onnx", NOTE, original["recipe"])
    assert entry["figures"]["map50_95"] == pytest.approx(original["figures"]["map50_95"] - 0.0025)
    assert "by `python tools/ship_int8.py`: method static, QDQ, calibration_photos 64" in (
        folder / f"{name}-int8.md"
    ).read_text(encoding="utf-8")
    assert (folder / f"{name}-int8.facts.yaml").read_text(encoding="utf-8") == f"like: {name}\n"
    # What was written is what the package reads.
    assert weights.resolve_weights(f"{name}-int8", folder=folder) == (f"{name}-int8", folder / f"{name}-int8.onnx")


def test_what_is_said_of_a_twin_already_stays(tool: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = f"like: {NAME}\nabout: In eight bits.\n"
    (folder / "twin.facts.yaml").write_text(said, encoding="utf-8")
    pretend(tool, monkeypatch, folder, 0.0)
    tool.ship(NAME, "twin", Path("data.yaml"), folder)
    assert (folder / "twin.facts.yaml").read_text(encoding="utf-8") == said
    assert "In eight bits." in (folder / "twin.md").read_text(encoding="utf-8")


def test_a_twin_that_is_not_is_left_out(tool: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    pretend(tool, monkeypatch, folder, 0.0085)
    with pytest.raises(SystemExit, match=r"mAP50-95 falls by 0\.0085, more than 0\.008: not registered"):
        tool.ship(NAME, f"{NAME}-int8", Path("data.yaml"), folder)
    with pytest.raises(SystemExit, match="none is no detector"):
        tool.ship("none", "none-int8", Path("data.yaml"), folder)
    with pytest.raises(SystemExit, match="is of other data"):
        tool.loss({"data": {"photos": 170}, "map50_95": 0.5}, {"data": {"photos": 10}, "map50_95": 0.5})
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
