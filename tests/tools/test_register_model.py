from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from maskdet import weights
from maskdet.classes import CLASS_NAMES
from maskdet.detector.inference.close_ups import CloseUps
from maskdet.detector.inference.model import MaskDetector

ROOT = Path(__file__).resolve().parent.parent.parent


#: A shipped detector with the figures of the public split.
MEASURED = "maskdet-n-public"

ON_EVERY_PHOTO = """
train: maskdet train data=all.yaml
data: some photos
split: "none: trained on all"
about: No figure on these photos says anything of it.
limits: Small faces.
"""


def figure(value: float) -> dict[str, float | None]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty weights folder with the facts of a few models."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("maskdet-c", "maskdet-d"):
        (folder / f"{name}.facts.yaml").write_text("train: maskdet study train\nlimits: It always answers.\n")
    shutil.copy(weights.FOLDER / f"{MEASURED}.facts.yaml", folder)
    (folder / "maskdet-all.facts.yaml").write_text(ON_EVERY_PHOTO)
    return folder


def report_of(onnx: Path) -> dict[str, Any]:
    return {
        "schema": "maskdet-classifier/1",
        "model": {"sha256": hashlib.sha256(onnx.read_bytes()).hexdigest()},
        "command": "maskdet study score",
        "data": {"photos": 4, "crops": 10, "split": "public: 4 photos held out", "source": "ten drawn faces"},
        "accuracy": figure(0.9),
        "macro_f1": figure(0.8),
        "balanced_accuracy": {"value": 0.85, "low": None, "high": None},
        "ece": figure(0.05),
        "classes": {
            name: {"support": support, "precision": figure(0.9), "recall": figure(0.8), "f1": figure(0.85)}
            for name, support in zip(CLASS_NAMES, (6, 3, 1), strict=True)
        },
        "matrix": [[6, 0, 0], [0, 2, 1], [0, 0, 1]],
        "notes": ["The second photo is the first one's mirror image."],
    }


def test_a_classifier_is_registered_beside_the_detector(tool: ModuleType, tiny_classifier: Path, folder: Path) -> None:
    (folder / "models.json").write_text((weights.FOLDER / "models.json").read_text(encoding="utf-8"))
    report = report_of(tiny_classifier)
    tool.register("maskdet-c", tiny_classifier, report, folder)
    registry = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    assert registry["default"] == {"detect": "maskdet-n", "classify": "maskdet-c"}
    entry = registry["models"]["maskdet-c"]
    assert (entry["task"], entry["imgsz"], entry["margin"], entry["square"]) == ("classify", 8, 0.25, True)
    assert entry["figures"]["macro_f1"] == 0.8
    assert entry["recipe"] == {"command": "maskdet study train"}
    assert json.loads((folder / "maskdet-c.val.json").read_text(encoding="utf-8")) == report
    card = (folder / "maskdet-c.md").read_text(encoding="utf-8")
    for text in (
        "| accuracy | 0.900 (0.89–0.91) |",
        "| balanced accuracy | 0.850 |",
        "| without_mask | 3 | 0.900 (0.89–0.91) | 0.800 (0.79–0.81) | 0.850 (0.84–0.86) |",
        "| without_mask | 0 | 2 | 1 |",
        "The second photo is the first one's mirror image.",
        "10 crops of 4 photos",
        "`maskdet study train`",
        "It always answers.",
    ):
        assert text in card
    # What was written is what the package reads.
    assert weights.resolve_weights(None, "classify", folder) == ("maskdet-c", folder / "maskdet-c.onnx")
    assert weights.default_model(folder=folder).name == "maskdet-n"


def test_the_first_model_starts_the_registry(tool: ModuleType, tiny_classifier: Path, folder: Path) -> None:
    tool.register("maskdet-c", tiny_classifier, report_of(tiny_classifier), folder)
    tool.register("maskdet-d", tiny_classifier, report_of(tiny_classifier), folder)
    registry = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    assert registry["default"] == {"classify": "maskdet-c"}
    assert list(registry["models"]) == ["maskdet-c", "maskdet-d"]


def drop(report: dict[str, Any], *keys: str) -> None:
    for key in keys[:-1]:
        report = report[key]
    del report[keys[-1]]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda report: report.update(schema="other"), "schema is 'other'"),
        (lambda report: report["model"].update(sha256="0" * 64), "the report is of 000000000000…"),
        (lambda report: drop(report, "ece"), "lacks ece"),
        (lambda report: drop(report, "classes", "with_mask"), r"lacks classes\.with_mask"),
        (lambda report: drop(report, "data"), r"lacks data, data\.photos"),
        (lambda report: report["matrix"][0].__setitem__(0, 5), "do not agree"),
    ],
)
def test_reports_that_do_not_fit(
    tool: ModuleType, tiny_classifier: Path, folder: Path, spoil: Callable[[dict[str, Any]], None], reason: str
) -> None:
    report = copy.deepcopy(report_of(tiny_classifier))
    spoil(report)
    with pytest.raises(SystemExit, match=reason):
        tool.register("maskdet-c", tiny_classifier, report, folder)
    assert {path.suffix for path in folder.iterdir()} == {".yaml"}


def test_a_model_without_facts_is_not_registered(tool: ModuleType, tiny_classifier: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"maskdet-c\.facts\.yaml: no such file"):
        tool.register("maskdet-c", tiny_classifier, report_of(tiny_classifier), tmp_path)
    (tmp_path / "maskdet-c.facts.yaml").write_text("train: x\n")
    with pytest.raises(SystemExit, match=r"maskdet-c\.facts\.yaml lacks limits"):
        tool.register("maskdet-c", tiny_classifier, report_of(tiny_classifier), tmp_path)


def test_a_detector_is_registered_as_before(tool: ModuleType, folder: Path) -> None:
    model = weights.shipped_models()[MEASURED]
    report = json.loads((weights.FOLDER / model.card["figures"]["report"]).read_text(encoding="utf-8"))
    entry = tool.register(model.name, model.path, report, folder)
    registry = json.loads((weights.FOLDER / "models.json").read_text(encoding="utf-8"))
    assert entry == registry["models"][model.name]
    card = (folder / f"{model.name}.md").read_text(encoding="utf-8")
    assert card == model.path.with_suffix(".md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit, match="of another task"):
        other = {**registry["models"], model.name: {"task": "classify"}}
        (folder / "models.json").write_text(json.dumps({"default": {}, "models": other}))
        tool.register(model.name, model.path, report, folder)


def test_what_a_calibrated_file_says_stands_in_the_registry(tool: ModuleType, folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    default = weights.shipped_models()[MEASURED]
    report = json.loads((weights.FOLDER / default.card["figures"]["report"]).read_text(encoding="utf-8"))
    model = onnx.load(default.path)
    said = {"schema": "maskdet-calibration/1", "temperature": 0.5, "bias": 0.25}
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, {**metadata, "maskdet_calibration": json.dumps(said)})
    path = folder / "calibrated.onnx"
    onnx.save(model, path)
    report["model"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    assert tool.register(MEASURED, path, report, folder)["calibration"] == said


def test_a_detector_can_want_close_ups(tool: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = weights.shipped_models()[MEASURED]
    report = json.loads((weights.FOLDER / model.card["figures"]["report"]).read_text(encoding="utf-8"))
    onnx = pytest.importorskip("onnx")
    changed, proto = folder.parent / "changed.onnx", onnx.load(model.path)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    onnx.helper.set_model_props(proto, {**metadata, "close_ups": '{"imgsz": 160, "share": 0.25}'})
    onnx.save(proto, changed)
    report["model"]["sha256"] = hashlib.sha256(changed.read_bytes()).hexdigest()
    tool.register(model.name, changed, report, folder)
    registry = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    assert registry["models"][model.name]["close_ups"] == {"imgsz": 160, "share": 0.25}
    # What was written is what the package reads.
    monkeypatch.setattr(weights, "FOLDER", folder)
    assert MaskDetector().close_ups == CloseUps(160, 0.25)


def fold_report(sha256: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((ROOT / "benchmarks/results/folds.json").read_text(encoding="utf-8"))
    report["models"][0]["sha256"] = sha256
    return report


def test_a_detector_trained_on_every_photo_has_the_figures_of_the_folds(tool: ModuleType, folder: Path) -> None:
    model = weights.shipped_models()[MEASURED]
    entry = tool.register("maskdet-all", model.path, fold_report("0" * 64), folder)
    report = fold_report("0" * 64)
    mean = report["sets"]["all"]["ap"]["ap50"]["all"]["mean"]["value"]
    assert entry["figures"]["map50"] == mean
    assert (entry["figures"]["of"], entry["split"]) == ("mean of 5 folds", "none: trained on all")
    card = (folder / "maskdet-all.md").read_text(encoding="utf-8")
    assert "No figure on these photos says anything" in card
    faces = report["sets"]["all"]["faces"]["all"]["mean"]
    assert f"| mean | {faces:,} | {mean:.3f} ± " in card
    with pytest.raises(SystemExit, match="is the detector of one fold"):
        tool.register("maskdet-all", model.path, fold_report(model.sha256), folder)


def test_a_detector_that_went_on_from_another_says_whose_figures_it_shows(tool: ModuleType, folder: Path) -> None:
    model = weights.shipped_models()[MEASURED]
    report = json.loads((weights.FOLDER / model.card["figures"]["report"]).read_text(encoding="utf-8"))
    with (folder / "maskdet-all.facts.yaml").open("a") as file:
        file.write(f"figures_of: {MEASURED}\n")
    with pytest.raises(SystemExit, match="is maskdet-n-public itself"):
        tool.register("maskdet-all", model.path, report, folder)
    report["model"]["sha256"] = "0" * 64  # as if the file had gone on from it
    entry = tool.register("maskdet-all", model.path, report, folder)
    assert entry["figures"]["of"] == f"{MEASURED}, which it went on from"
    card = (folder / "maskdet-all.md").read_text(encoding="utf-8")
    assert f"## How good {MEASURED} is, which it went on from\n" in card


@pytest.mark.parametrize(
    ("block", "size", "name"),
    [
        ("C2f", {"scale": "s"}, "YOLOv8s"),
        ("C2f", {"depth_multiple": 0.33, "width_multiple": 0.25}, "YOLOv8n"),
        ("C3k2", {"scale": "n"}, "YOLOn"),
    ],
)
def test_a_network_has_a_name(tool: ModuleType, block: str, size: dict[str, object], name: str) -> None:
    described = {"backbone": [[-1, 1, "Conv", [64, 3, 2]], [-1, 3, block, [128, True]]], **size}
    assert tool.network_name({tool.NETWORK_KEY: json.dumps(described)}) == name


@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution_by_hand(tool: ModuleType, tmp_path: Path, groups: int) -> None:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "first"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Conv", ["y", "second"], ["z"], group=groups),
        ],
        "g",
        [helper.make_tensor_value_info("x", kind, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("z", kind, ["n", 8, "a", "b"])],
        [
            helper.make_tensor("first", kind, [4, 3, 3, 3], [0.0] * 108),
            helper.make_tensor("second", kind, [8, 4 // groups, 1, 1], [0.0] * (32 // groups)),
        ],
    )
    path = tmp_path / "a.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    # 64 px → 32 px: 4 channels of 3 · 9 products, then 8 of 4, or of 1 with four groups.
    assert tool.gigaflops(path, 64) == pytest.approx(2 * 32 * 32 * (4 * 27 + 8 * 4 / groups) / 1e9)
