from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.classifier.crops import crop as crops_module
from maskdet.classifier.crops.crop import STUDY_CROPS, CropOptions, iter_crops
from maskdet.classifier.crops.crop_set import name_groups
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import read_pixels
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.errors import SourceError


def photos_of(root: Path) -> list[Photo]:
    return read_voc(root, ReadOptions(quiet=True))[0].photos


def test_the_study_cuts_the_plain_box(small_voc: Path) -> None:
    assert CropOptions(margin=0.0, square=False, side=None) == STUDY_CROPS
    first, pixel, last = iter_crops(photos_of(small_voc), ["a", "b", "c"])
    assert first.pixels.shape == (20, 10, 3)
    assert first.pixels[0, 0].tolist() == [5, 6, 0] and first.pixels[-1, -1].tolist() == [14, 25, 0]
    # Written as two pixels wide and one past the edge; one pixel of it lies in the picture.
    assert pixel.pixels.tolist() == [[[39, 29, 0]]]
    assert last.pixels.shape == (10, 10, 3)
    assert [crop.record.crop for crop in (first, pixel, last)] == [
        "with_mask/a_0.png",
        "without_mask/a_1.png",
        "mask_weared_incorrect/c_0.png",
    ]
    assert [crop.record.binary for crop in (first, pixel, last)] == [0, 1, None]
    assert (first.record.photo, first.record.face, first.record.group) == ("a.png", 0, "a")
    assert pixel.record.box == (39, 29, 40, 30)


def test_side_and_square(small_voc: Path) -> None:
    options = CropOptions(margin=0.1, square=True, side=24)
    first = next(iter_crops(photos_of(small_voc), ["a", "b", "c"], options))
    # The box is 10×20 around (10, 16): the square of 24 reaches from x = -2, and no pixel is resampled.
    assert first.pixels.shape == (24, 24, 3)
    assert first.pixels[0, :, 0].tolist() == [0, 0, *range(22)]
    assert first.pixels[:, 0, 1].tolist() == list(range(4, 28))


def test_each_photo_is_decoded_once(small_voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def counted(path: Path) -> object:
        seen.append(path.name)
        return read_pixels(path)

    monkeypatch.setattr(crops_module, "read_pixels", counted)
    crops = iter_crops(photos_of(small_voc), ["a", "b", "c"])
    next(crops)
    assert seen == ["a.png"]  # nothing is read ahead
    list(crops)
    assert seen == ["a.png", "c.png"]


def test_a_photo_that_changes_meanwhile(small_voc: Path) -> None:
    photos = photos_of(small_voc)
    other = np.zeros((10, 10, 3), np.uint8)
    (small_voc / "images" / "a.png").write_bytes(cv2.imencode(".png", other)[1].tobytes())
    with pytest.raises(SourceError, match=r"a\.png: has changed while it was read: 40×30 before, 10×10 px now"):
        list(iter_crops(photos, ["a", "b", "c"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": -0.1}, "margin must be between 0 and 5 "),
        ({"margin": float("nan")}, "margin must be between"),
        ({"side": 0}, "side must be between 1 and 4096 pixels, not 0"),
    ],
)
def test_options_out_of_range(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CropOptions(**options)  # type: ignore[arg-type]


def test_the_public_data_set(real_data: Path) -> None:
    photos = read_voc(real_data, ReadOptions(quiet=True, duplicates=True))[0].photos
    groups = name_groups(photos, quiet=True)
    crops = list(iter_crops(photos, groups))
    assert len(crops) == 4072
    assert all(min(crop.pixels.shape) >= 1 for crop in crops)
    assert min(min(crop.pixels.shape[:2]) for crop in crops) == 1
    binary = Counter(crop.record.binary for crop in crops)
    assert binary == {0: 3232, 1: 717, None: 123}
    assert binary[0] + binary[1] == 3949
    assert len({crop.record.crop.lower() for crop in crops}) == 4072
    for crop in crops:
        x1, y1, x2, y2 = crop.record.box
        assert crop.pixels.shape == (y2 - y1, x2 - x1, 3)
    # The published list of duplicates, and the selfie series: 184 photos with 136 + 50 faces.
    group_of = {Path(photo.name).stem.removeprefix("maksssksksss"): g for photo, g in zip(photos, groups, strict=True)}
    pairs = (
        "13=737 146=219 156=545 410=428 451=61 653=775 656=690 662=839 354=74 435=554 514=680 665=704 287=478 327=699"
    )
    for one, two in (pair.split("=") for pair in pairs.split()):
        assert group_of[one] == group_of[two]
    selfies = [photo for photo in photos if photo.picture.size == (301, 400)]
    assert len(selfies) == 184
    assert len({group_of[Path(photo.name).stem.removeprefix("maksssksksss")] for photo in selfies}) == 1
    assert np.bincount(np.concatenate([photo.class_ids for photo in selfies])).tolist() == [136, 50]
