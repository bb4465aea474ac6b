"""Against the loaders that others wrote."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.datasets.yolo.labels import label_path, read_labels

OPTIONS = ConvertOptions(quiet=True, duplicates=False, images="copy")


def compare_with_supervision(root: Path, expected_clipped: int) -> None:
    supervision = pytest.importorskip("supervision")
    theirs = supervision.DetectionDataset.from_pascal_voc(str(root / "images"), str(root / "annotations"))
    collection, _ = read_voc(root, ReadOptions(quiet=True, one_based=True))
    plain, _ = read_voc(root, ReadOptions(quiet=True))
    seen = clipped = 0
    ours = {str(photo.picture.path): photo for photo in collection.photos}
    for photo in plain.photos:
        shifted = ours[str(photo.picture.path)].boxes
        # supervision takes corners as the devkit's 1-based pixels: so does one_based, and the default is one higher.
        assert np.abs(np.maximum(photo.boxes[:, :2] - 1, 0) - shifted[:, :2]).max(initial=0) == 0
        assert (photo.boxes[:, 2:] == shifted[:, 2:]).all()
    for path, _, detections in theirs:
        photo = ours.pop(path)
        width, height = photo.picture.size
        inside = np.clip(detections.xyxy, 0, [width, height, width, height])
        clipped += int((inside != detections.xyxy).any(axis=1).sum())
        assert np.abs(photo.boxes - inside).max(initial=0) < 1e-4
        assert [CLASS_NAMES[index] for index in photo.class_ids] == [
            theirs.classes[index] for index in detections.class_id
        ]
        seen += len(inside)
    assert not ours
    assert clipped == expected_clipped
    assert seen == sum(len(photo.boxes) for photo in plain.photos)


@pytest.fixture
def odd_set(make_voc) -> Path:
    return make_voc(
        {
            "a": [("with_mask", 1, 1, 96, 64), ("without_mask", 10.5, 20.25, 30.75, 40)],
            "b c": [("mask_weared_incorrect", 60, 50, 40, 30)],
            "d": [],
            "é": [("with_mask", 80, 8, 97, 40)],
            "f": [("without_mask", 3, 4, 5, 6)],
        }
    )


def test_boxes_equal_supervisions(odd_set: Path) -> None:
    compare_with_supervision(odd_set, expected_clipped=1)


def test_boxes_equal_supervisions_on_real_data(real_data: Path) -> None:
    compare_with_supervision(real_data, expected_clipped=12)


def compare_with_ultralytics(out: Path) -> int:
    utils = pytest.importorskip("ultralytics.data.utils")
    boxes = 0
    for picture in sorted(out.glob("images/*/*")):
        file = label_path(picture)
        result = utils.verify_image_label((str(picture), str(file), "", False, 3, 0, 0, False))
        _, read, _, _, _, missing, found, _, corrupt, message = result
        assert (missing, found, corrupt, message) == (0, 1, 0, "")
        labels = read_labels(file)
        assert np.abs(read - np.column_stack([labels.class_ids, labels.rows])).max(initial=0) < 1e-6
        boxes += len(labels.rows)
    return boxes


def test_labels_pass_ultralytics_check(odd_set: Path, tmp_path: Path) -> None:
    convert(odd_set, tmp_path / "out", OPTIONS)
    assert compare_with_ultralytics(tmp_path / "out") == 5


def test_labels_pass_ultralytics_check_on_real_data(real_data: Path, tmp_path: Path) -> None:
    convert(real_data, tmp_path / "out", OPTIONS)
    assert compare_with_ultralytics(tmp_path / "out") == 4072


def test_ultralytics_finds_the_set_from_any_folder(
    ten_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utils = pytest.importorskip("ultralytics.data.utils")
    convert(ten_photos, tmp_path / "first", OPTIONS)
    out = tmp_path / "moved set"
    (tmp_path / "first").rename(out)
    convert(ten_photos, tmp_path / "folds", ConvertOptions(quiet=True, duplicates=False, folds=3))
    for folder, name in ((tmp_path, "moved set/data.yaml"), (out, "data.yaml"), (Path("/"), str(out / "data.yaml"))):
        monkeypatch.chdir(folder)
        described = utils.check_det_dataset(name, autodownload=False)
        assert os.path.samefile(described["train"], out / "images/train")  # noqa: PTH121
        assert os.path.samefile(described["val"], out / "images/val")  # noqa: PTH121
        assert described["names"] == dict(enumerate(CLASS_NAMES))
    described = utils.check_det_dataset(str(tmp_path / "folds" / "fold2.yaml"), autodownload=False)
    assert [Path(folder).name for folder in described["train"]] == ["fold1", "fold3"]
    assert Path(described["val"]).name == "fold2"
