"""The shipped model on the real photos: the committed figures, computed again and by another library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.detector.evaluation.coco import coco_dicts, coco_scores
from maskdet.detector.evaluation.evaluate import VAL_CONF, detect_split
from maskdet.detector.evaluation.labelled_split import read_split
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_IOU
from maskdet.weights import FOLDER, shipped_models

ROOT = Path(__file__).resolve().parent.parent

#: The best published nano model on the public split (YOLO11n): mAP50, mAP50-95, AP50 of mask_weared_incorrect.
PUBLISHED = (0.793, 0.549, 0.611)


#: The file that figures are of, whatever the default for use has learnt from.
MEASURED = "maskdet-n-public"


#: The detectors that were scored on the public split's held-out photos.
ON_PUBLIC = [
    name
    for name, one in shipped_models().items()
    if one.task == "detect" and one.card.get("split", "").startswith("public")
]


@pytest.mark.parametrize("name", ON_PUBLIC)
def test_card_and_registry_hold_the_figures_of_the_report(name: str) -> None:
    model = shipped_models()[name]
    report = json.loads((FOLDER / model.card["figures"]["report"]).read_text(encoding="utf-8"))
    assert report["model"]["sha256"] == model.sha256
    assert report["data"]["faces"] == {"with_mask": 593, "without_mask": 114, "mask_weared_incorrect": 19}
    assert model.card["figures"]["map50"] == report["map50"]
    assert model.card["figures"]["map50_95"] == report["map50_95"]
    card = model.path.with_suffix(".md").read_text(encoding="utf-8")
    assert f"{report['map50']:.3f} (" in card


def named_models(report: object) -> Iterator[tuple[str, str]]:
    """Yield name and SHA-256 of every model that a report says it is of."""
    if isinstance(report, dict):
        if {"name", "sha256"} <= report.keys():
            yield report["name"], report["sha256"]
        report = list(report.values())
    for inner in report if isinstance(report, list) else ():
        yield from named_models(inner)


#: Of the first maskdet-n-public, and called so where it is shown (docs/experiments.md).
EARLIER = "compare.json"

REPORTS = [path for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")) if path.name != EARLIER]


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_figures_are_of_the_files_that_ship(report: Path) -> None:
    shipped = shipped_models()
    for name, sha256 in named_models(json.loads(report.read_text(encoding="utf-8"))):
        assert name not in shipped or sha256 == shipped[name].sha256, f"{name} has changed since: measure anew"


@pytest.mark.parametrize("name", ["close_ups", "int8", "public_augment", "stress", "tiling"])
def test_reports_say_which_file_they_are_of(name: str) -> None:
    report = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    assert [found for found, _ in named_models(report)] == [MEASURED]


def test_the_one_for_figures_is_among_them() -> None:
    assert MEASURED in ON_PUBLIC


def test_no_shipped_file_is_larger_than_the_project_allows() -> None:
    assert all(model.path.stat().st_size < 25e6 for model in shipped_models().values())


@pytest.mark.filterwarnings("ignore")
def test_figures_on_the_public_split(real_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    coco, cocoeval = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    convert(real_data, tmp_path / "public", ConvertOptions(split="public", duplicates=False, quiet=True))
    labelled = read_split(tmp_path / "public" / "data.yaml")
    found, _ = detect_split(MaskDetector(MEASURED), labelled, conf=VAL_CONF, iou=DEFAULT_IOU, batch=1, quiet=True)
    ap = coco_scores(labelled.truths, found).ap[:, :, 0]
    ours = (ap[0].mean(), ap.mean(), ap[0, 2])

    truth, answers = coco_dicts(labelled.truths, found)
    oracle = coco.COCO()
    oracle.dataset = truth
    oracle.createIndex()
    evaluation = cocoeval.COCOeval(oracle, oracle.loadRes(answers["annotations"]), "bbox")
    evaluation.params.maxDets = [1, 10, 300]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 2].mean(axis=1)
    np.testing.assert_allclose(ours, (precision[0].mean(), precision.mean(), precision[0, 2]), atol=1e-6)

    report = json.loads((FOLDER / shipped_models()[MEASURED].card["figures"]["report"]).read_text(encoding="utf-8"))
    # Another processor rounds differently: a box more or less near a threshold.
    np.testing.assert_allclose(ours[:2], (report["map50"], report["map50_95"]), atol=2e-3)
    assert all(value > bar for value, bar in zip(ours, PUBLISHED, strict=True)), ours
