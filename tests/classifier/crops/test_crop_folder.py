from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.classifier.crops import crop_folder
from maskdet.classifier.crops.crop import CropOptions
from maskdet.classifier.crops.crop_folder import CropFolderOptions, write_crops
from maskdet.classifier.crops.manifest import read_manifest
from maskdet.datasets.photos.picture_file import read_pixels
from maskdet.errors import DatasetError, SourceError

QUIET = CropFolderOptions(quiet=True)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_crops(small_voc: Path, tmp_path: Path) -> None:
    out = tmp_path / "crops"
    summary = write_crops(small_voc, out, QUIET)
    assert (summary.faces, summary.binary, summary.photos) == ((1, 1, 1), 2, 3)
    records = read_manifest(out / "manifest.csv")
    assert [record.crop for record in records] == [
        "with_mask/a_0.png",
        "without_mask/a_1.png",
        "mask_weared_incorrect/c_0.png",
    ]
    for record in records:
        x1, y1, x2, y2 = record.box
        assert read_pixels(out / record.crop).shape == (y2 - y1, x2 - x1, 3)
    assert read_pixels(out / "with_mask/a_0.png")[0, 0].tolist() == [5, 6, 0]  # lossless
    written = json.loads((out / "crops.json").read_text())
    assert written["format"] == "maskdet-crops/1"
    assert written["classes"] == {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 1}
    assert written["mends"] == {"clipped": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops", "voc"]  # nothing left over beside it


def test_the_same_input_gives_the_same_bytes(small_voc: Path, tmp_path: Path) -> None:
    options = CropFolderOptions(crops=CropOptions(0.2, square=True, side=16), quiet=True)
    for name in ("one", "two"):
        write_crops(small_voc, tmp_path / name, options)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_alike_photos_share_a_group(small_voc: Path, tmp_path: Path) -> None:
    images = small_voc / "images"
    (images / "c.png").write_bytes((images / "a.png").read_bytes())
    write_crops(small_voc, tmp_path / "crops", QUIET)
    assert {record.group for record in read_manifest(tmp_path / "crops" / "manifest.csv")} == {"a"}
    apart = CropFolderOptions(duplicates=False, quiet=True)
    write_crops(small_voc, tmp_path / "apart", apart)
    assert {record.group for record in read_manifest(tmp_path / "apart" / "manifest.csv")} == {"a", "c"}
    (tmp_path / "groups.csv").write_text("name,group\na,x\nc,x\n", encoding="utf-8")
    named = CropFolderOptions(duplicates=False, groups=tmp_path / "groups.csv", quiet=True)
    assert write_crops(small_voc, tmp_path / "named", named).groups == 1


def test_overwriting(small_voc: Path, tmp_path: Path) -> None:
    out = tmp_path / "crops"
    write_crops(small_voc, out, QUIET)
    with pytest.raises(DatasetError, match="exists already"):
        write_crops(small_voc, out, QUIET)
    (small_voc / "annotations" / "c.xml").unlink()
    again = CropFolderOptions(overwrite=True, quiet=True)
    write_crops(small_voc, out, again)
    assert not (out / "mask_weared_incorrect").exists()
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "letter.txt").write_text("mine")
    with pytest.raises(DatasetError, match="was not written as a crop folder and is not replaced"):
        write_crops(small_voc, strange, again)
    assert (strange / "letter.txt").is_file()


def test_the_data_set_is_never_replaced(small_voc: Path) -> None:
    again = CropFolderOptions(overwrite=True, quiet=True)
    for name in ("manifest.csv", "crops.json"):
        (small_voc / name).touch()
        (small_voc.parent / name).touch()
    before = content(small_voc)
    for out in (small_voc, small_voc.parent):
        with pytest.raises(DatasetError, match="is or contains the data set"):
            write_crops(small_voc, out, again)
    assert content(small_voc) == before


def test_all_or_nothing(small_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "crops"
    write_crops(small_voc, out, QUIET)
    before = content(out)
    write: Callable[..., None] = crop_folder._write_crop

    def fails_late(folder: Path, crop: crop_folder.Crop) -> None:
        if crop.record.face:
            raise SourceError(crop.record.photo, "gone")
        write(folder, crop)

    monkeypatch.setattr(crop_folder, "_write_crop", fails_late)
    with pytest.raises(SourceError, match="gone"):
        write_crops(small_voc, out, CropFolderOptions(overwrite=True, quiet=True))
    assert content(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crops", "voc"]


def test_a_data_set_without_faces(make_voc: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no annotated face in it"):
        write_crops(make_voc({"a": []}), tmp_path / "crops", QUIET)
    assert not (tmp_path / "crops").exists()


def test_a_damaged_photo(small_voc: Path, tmp_path: Path) -> None:
    (small_voc / "images" / "c.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"c\.png: not a picture that can be read"):
        write_crops(small_voc, tmp_path / "crops", QUIET)
    summary = write_crops(small_voc, tmp_path / "crops", CropFolderOptions(keep_going=True, quiet=True))
    assert [photo.file for photo in summary.left_out] == ["c.xml"]
    assert summary.faces == (1, 1, 0)
