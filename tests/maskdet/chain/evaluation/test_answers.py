from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import maskdet
from maskdet.chain.evaluation.answers import ask_both
from maskdet.chain.evaluation.split import read_labelled
from maskdet.chain.predictor import FusionRule
from maskdet.errors import DatasetError

SURE = math.e**10 / (math.e**10 + 2)

VOC = """<annotation><filename>{stem}.png</filename>
<object><name>{name}</name><bndbox><xmin>22</xmin><ymin>6</ymin><xmax>42</xmax><ymax>26</ymax></bndbox></object>
</annotation>"""


def test_both_answer_for_the_same_boxes(sure_of_masks: Path, two_photos: Path, tiny_classifier: Path) -> None:
    detector, classifier = maskdet.MaskDetector(sure_of_masks), maskdet.MaskClassifier(tiny_classifier)
    labelled = read_labelled(two_photos)
    green, red = ask_both(detector, classifier, labelled, batch=1)
    for answer in (green, red):
        assert answer.boxes.tolist() == [[22, 6, 42, 26]]
        # The box that stays has 0.2 for the second class; the one that it suppressed left it 0.3.
        assert answer.scores.round(6).tolist() == [pytest.approx([0.8, 0.3, 0])]
        # As shipped: each anchor answers for itself in every class, and NMS keeps the best of each class.
        assert answer.shipped.class_ids.tolist() == [0, 1]
        assert answer.shipped.confidences.tolist() == pytest.approx([0.8, 0.3])
        assert answer.on_boxes.tolist() == answer.on_faces.tolist()
    assert green.on_boxes[0].argmax() == 1 and red.on_boxes[0].argmax() == 0
    assert green.on_boxes[0, 1] == pytest.approx(SURE, abs=1e-5)
    # 0.8 times the classifier's probability.
    assert green.fused(FusionRule(1, 0))[0, 1] == pytest.approx(0.8 * SURE, abs=1e-5)
    assert green.fused(FusionRule(1, 21)).tolist() == green.scores.tolist()
    (again, _) = ask_both(detector, classifier, labelled, batch=2)
    assert again.on_boxes.tolist() == green.on_boxes.tolist()


def test_a_photo_without_faces_or_labels(sure_of_masks: Path, two_photos: Path, tiny_classifier: Path) -> None:
    (two_photos / "labels/val/b.txt").unlink()
    detector = maskdet.MaskDetector(sure_of_masks)
    _, red = ask_both(detector, maskdet.MaskClassifier(tiny_classifier), read_labelled(two_photos))
    assert (red.on_boxes.shape, red.on_faces.shape) == ((1, 3), (0, 3))


def write_voc(root: Path, photos: Path, **names: str) -> Path:
    for folder in ("annotations", "images"):
        (root / folder).mkdir(parents=True)
    for stem, name in names.items():
        (root / "images" / f"{stem}.png").write_bytes((photos / f"{stem}.png").read_bytes())
        (root / "annotations" / f"{stem}.xml").write_text(VOC.format(stem=stem, name=name))
    return root


def test_a_voc_folder_reads_as_its_yolo_twin(two_photos: Path, tmp_path: Path) -> None:
    root = write_voc(tmp_path / "voc", two_photos / "images/val", a="without_mask", b="with_mask")
    voc, yolo = read_labelled(root), read_labelled(two_photos / "data.yaml", "val")
    assert [photo.name for photo in voc.photos] == [photo.name for photo in yolo.photos] == ["a.png", "b.png"]
    for mine, other in zip(voc.truths, yolo.truths, strict=True):
        assert mine.class_ids.tolist() == other.class_ids.tolist()
        assert np.allclose(mine.boxes, other.boxes)
    assert (voc.data, voc.split) == ("voc", "all")
    assert (yolo.data, yolo.split) == ("set/data.yaml", "val")


def test_data_that_cannot_be_scored(two_photos: Path, tmp_path: Path) -> None:
    root = write_voc(tmp_path / "voc", two_photos / "images/val", a="without_mask")
    with pytest.raises(DatasetError, match="a Pascal VOC folder has no splits"):
        read_labelled(root, "val")
    empty = VOC.format(stem="a", name="").split("<object>")[0] + "</annotation>"
    (root / "annotations/a.xml").write_text(empty)
    with pytest.raises(DatasetError, match="has no labelled faces"):
        read_labelled(root)
    with pytest.raises(DatasetError, match="no such file"):
        read_labelled(tmp_path / "none.yaml")
    with pytest.raises(DatasetError, match="no split 'test'"):
        read_labelled(two_photos, "test")
