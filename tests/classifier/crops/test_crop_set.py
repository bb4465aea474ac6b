from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskdet.classifier.crops.crop import CropOptions, iter_crops
from maskdet.classifier.crops.crop_set import CropSet, read_crop_set
from maskdet.errors import DatasetError


@pytest.mark.parametrize("margin", [0.0, 0.2, 0.35])
@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("side", [None, 16])
def test_crops_are_those_cut_from_the_photo(small_voc: Path, margin: float, square: bool, side: int | None) -> None:
    crops = read_crop_set(small_voc, quiet=True)
    options = CropOptions(margin=margin, square=square, side=side)
    expected = list(iter_crops(crops.photos, crops.groups, options))
    assert [crop.record for crop in expected] == list(crops.records)
    for index, crop in enumerate(expected):
        if index == 1 and square:
            continue  # a single pixel in the corner: its patch ends where its surroundings repeat the edge
        assert np.array_equal(crops.cut(index, options, side), crop.pixels)


def test_another_box_is_clipped_to_the_patch(small_voc: Path) -> None:
    crops = read_crop_set(small_voc, quiet=True)
    height, width = crops.patches[0].shape[:2]
    whole = crops.cut(0, CropOptions(), box=np.array([-50.0, -50.0, 500.0, 500.0]))
    assert whole.shape == (height, width, 3)


def test_the_fingerprint_sees_every_pixel(small_voc: Path) -> None:
    crops = read_crop_set(small_voc, quiet=True)
    assert crops.fingerprint() == read_crop_set(small_voc, quiet=True).fingerprint()
    changed = [patch.copy() for patch in crops.patches]
    changed[2][0, 0, 0] ^= 1
    assert replace(crops, patches=tuple(changed)).fingerprint() != crops.fingerprint()


def test_a_data_set_without_faces_is_refused(make_voc: object, tmp_path: Path) -> None:
    root = make_voc({"a": [], "b": []})  # type: ignore[operator]
    with pytest.raises(DatasetError, match="no annotated face"):
        read_crop_set(root, quiet=True)


def test_the_public_set(real_crops: CropSet) -> None:
    assert np.bincount(real_crops.class_ids).tolist() == [3232, 717, 123]
    index = int(np.argmax(real_crops.boxes[:, 2] - real_crops.boxes[:, 0]))
    x1, y1, x2, y2 = real_crops.records[index].box
    assert real_crops.cut(index, CropOptions()).shape == (y2 - y1, x2 - x1, 3)
