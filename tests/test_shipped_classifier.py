"""The classifier in the package: what it is, and that it gets faces as its training did."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import maskdet
from maskdet.classifier.networks.specs import NETWORKS, SHIPPED
from maskdet.classifier.training.recipe import ONLY_RECIPES
from maskdet.weights import default_model

ROOT = Path(__file__).resolve().parent.parent


def test_it_is_small_and_says_how_faces_are_cut() -> None:
    model = default_model("classify")
    assert model.verify().stat().st_size <= 15_000_000
    spec = maskdet.MaskClassifier().spec
    crops = ONLY_RECIPES[SHIPPED].crops
    assert (spec.side, spec.margin, spec.square) == (NETWORKS[SHIPPED].side, crops.margin, crops.square)
    report = json.loads((model.path.parent / f"{model.name}.val.json").read_text(encoding="utf-8"))
    assert report["model"]["sha256"] == model.sha256
    assert model.card["figures"]["macro_f1"] == report["macro_f1"]["value"]


def test_the_astronaut_wears_no_mask(astronaut: Path) -> None:
    image = cv2.imread(str(astronaut))
    assert image is not None
    (row,) = maskdet.MaskClassifier().classify_boxes(image.astype(np.uint8), np.array([[180.0, 81.0, 270.0, 181.0]]))
    assert maskdet.CLASS_NAMES[int(row.argmax())] == "without_mask"
    assert row.max() > 0.9


def test_it_knows_the_faces_it_was_trained_on(real_data: Path) -> None:
    """Not a measure of quality: faces cut or scaled in another way than in training would be told apart far worse."""
    from maskdet.datasets.voc.chunk import ReadOptions
    from maskdet.datasets.voc.read import read_voc
    from maskdet.imaging.decode import decode_file

    classifier = maskdet.MaskClassifier()
    right = []
    for photo in read_voc(real_data, ReadOptions(quiet=True))[0].photos[::8]:
        if len(photo.boxes):
            answers = classifier.classify_boxes(decode_file(photo.picture.path), photo.boxes)
            right += (answers.argmax(axis=1) == photo.class_ids).tolist()
    assert len(right) > 400
    assert np.mean(right) > 0.985


@pytest.mark.parametrize("mode", ["chain", "compare"])
def test_both_models_answer_from_the_package_alone(astronaut: Path, mode: str) -> None:
    result = maskdet.predict(astronaut, mode=mode)  # type: ignore[call-overload]
    (face,) = result.faces
    assert face.name == "without_mask"
    if mode == "compare" or face.classifier:  # the chain asks only where the answer could change
        assert (face.classifier["name"], face.classifier["agrees"]) == ("without_mask", True)
