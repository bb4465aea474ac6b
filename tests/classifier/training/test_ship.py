from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.classifier.networks.backbones import seen_by_start
from maskdet.classifier.networks.specs import NETWORKS, SHIPPED
from maskdet.classifier.study.train_plan import Plan, Surroundings, train_plan
from maskdet.classifier.training.recipe import ONLY_RECIPES
from maskdet.classifier.training.run import NetworkRun
from maskdet.classifier.training.ship import dev_temperature, fit_temperature, logits_of, ship_classifier
from maskdet.datasets.photos.seen import KEY, marks_of, photos_among
from maskdet.errors import DatasetError

pytest.importorskip("torchvision")
pytest.importorskip("onnx")


@pytest.fixture
def grouped_run(many_faces: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NetworkRun:
    """The classifier after one epoch on tiny crops, from random weights."""
    monkeypatch.setitem(NETWORKS, SHIPPED, replace(NETWORKS[SHIPPED], side=32))
    monkeypatch.setitem(ONLY_RECIPES, SHIPPED, replace(ONLY_RECIPES[SHIPPED], epochs=1, patience=1))
    return train_plan(Plan("maskdet-c", "grouped", weights="none"), many_faces, Surroundings(tmp_path, quiet=True))


def test_the_classifier_is_trained_on_all_crops_and_written(
    many_faces: CropSet, grouped_run: NetworkRun, tmp_path: Path
) -> None:
    assert (grouped_run.task, grouped_run.fold, grouped_run.parts["test"].probabilities.shape[1]) == ("three", 0, 3)
    path = ship_classifier(many_faces, tmp_path / "c.onnx", [grouped_run], weights="none", quiet=True)
    classifier = MaskClassifier(path)
    spec = classifier.spec
    crops = ONLY_RECIPES[SHIPPED].crops
    assert (spec.side, spec.margin, spec.square) == (32, crops.margin, crops.square)
    assert spec.temperature == pytest.approx(dev_temperature([grouped_run], path), rel=1e-3)
    training = json.loads(spec.metadata["maskdet_training"])
    assert (training["crops"], training["epochs"], training["data"]) == (len(many_faces), 1, many_faces.fingerprint())
    photos = [photo.picture.path for photo in many_faces.photos]
    assert spec.metadata[KEY] == marks_of(photos)
    out = frozenset(path.stem for path in photos[:5])
    rest = MaskClassifier(
        ship_classifier(many_faces, tmp_path / "r.onnx", [grouped_run], weights="none", left_out=out, quiet=True)
    ).spec.metadata
    assert photos_among(photos, rest[KEY]) == photos[5:]
    assert json.loads(rest["maskdet_training"])["left_out"] == sorted(out)
    assert "left_out" not in training
    answers = classifier.probabilities([many_faces.patches[0], many_faces.patches[1]])
    assert answers.sum(axis=1).tolist() == pytest.approx([1, 1])


def test_a_fold_leaves_its_classifier_and_what_it_saw_before(
    many_faces: CropSet, grouped_run: NetworkRun, tmp_path: Path
) -> None:
    first = many_faces.photos[0].picture.path
    others = frozenset(photo.picture.path.stem for photo in many_faces.photos[1:])
    start = ship_classifier(many_faces, tmp_path / "mine.pt", [], weights="none", left_out=others, quiet=True)
    assert seen_by_start(start) == marks_of([first])
    plan = Plan("maskdet-c", "grouped", fold=1, weights=start)
    assert (plan.origin, plan.folder) == ("mine", "maskdet-c-fold2-mine")
    run = train_plan(plan, many_faces, Surroundings(tmp_path / "runs", models=tmp_path / "models", quiet=True))
    assert run.weights == "mine"
    spec = MaskClassifier(tmp_path / "models" / "maskdet-c-fold2-mine.onnx").spec
    dev = run.parts["dev"]
    assert spec.temperature == pytest.approx(fit_temperature(logits_of(dev.probabilities), dev.labels), rel=1e-3)
    # The backbone had seen the first photo, the fold has seen all but its test part's.
    test = {Path(crop).stem.rpartition("_")[0] for crop in run.parts["test"].crops}
    photos = [photo.picture.path for photo in many_faces.photos]
    assert photos_among(photos, spec.metadata[KEY]) == [
        photo for photo in photos if photo.stem not in test or photo == first
    ]


def test_the_temperature_is_that_of_the_dev_crops(grouped_run: NetworkRun, tmp_path: Path) -> None:
    dev = grouped_run.parts["dev"]
    expected = fit_temperature(np.log(np.maximum(dev.probabilities, 1e-6)), dev.labels)
    assert dev_temperature([grouped_run], tmp_path) == expected
    study = replace(grouped_run, protocol="study", fold=None)
    with pytest.raises(DatasetError, match="needs a grouped run of maskdet-c first"):
        dev_temperature([study], tmp_path)
