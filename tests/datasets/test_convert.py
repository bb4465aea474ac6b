from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from maskdet.classes import CLASS_NAMES
from maskdet.datasets import convert as module
from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.datasets.photos.photo import ClassMap
from maskdet.datasets.yolo.labels import read_labels
from maskdet.errors import AnnotationError, DatasetError, MaskdetError, SourceError

QUICK = ConvertOptions(duplicates=False, quiet=True)


def digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("layout", ["kaggle", "voc", "flat"])
def test_writes_the_whole_data_set(make_voc, tmp_path: Path, layout: str) -> None:
    photos = {f"photo {n} é": [("with_mask", 8, 16, 48, 32), ("no_mask", 0, 0, 96, 64)] for n in range(5)}
    out = tmp_path / "out set"
    audit = convert(make_voc(photos, layout=layout), out, QUICK)
    assert {part.split: part.photos for part in audit.parts} == {"train": 4, "val": 1}
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {"data.yaml", "audit.json", "contact_sheet.jpg"} <= files
    for stem in photos:
        (split,) = (split for split in ("train", "val") if f"images/{split}/{stem}.jpg" in files)
        text = (out / f"labels/{split}/{stem}.txt").read_text()
        assert text == "0 0.291667 0.375000 0.416667 0.250000\n1 0.500000 0.500000 1.000000 1.000000\n"
    assert len(files) == 13
    assert yaml.safe_load((out / "data.yaml").read_text()) == {
        "train": "images/train",
        "val": "images/val",
        "names": dict(enumerate(CLASS_NAMES)),
    }
    assert leftovers(tmp_path) == []
    report = json.loads((out / "audit.json").read_text())
    assert report["schema"] == "maskdet-audit/1"
    assert report["mended"] == {"renamed": 5}
    assert str(tmp_path) not in (out / "audit.json").read_text()


def test_same_input_same_bytes_wherever_it_lies(ten_photos: Path, tmp_path: Path) -> None:
    options = ConvertOptions(quiet=True, keep_going=True)
    (ten_photos / "annotations" / "broken.xml").write_text("<annotation>")
    convert(ten_photos, tmp_path / "one", options)
    moved = tmp_path / "elsewhere" / "set"
    moved.parent.mkdir()
    ten_photos.rename(moved)
    convert(moved, tmp_path / "deep" / "two", options)
    assert digest(tmp_path / "one") == digest(tmp_path / "deep" / "two")


def test_every_mend_is_made_and_told(make_voc, tmp_path: Path) -> None:
    root = make_voc(
        {
            "clip": [("with_mask", 80, 10, 97, 65)],
            "swap": [("with_mask", 30, 40, 10, 20.5)],
            "flat": [("with_mask", 5, 5, 5, 20), ("with_mask", 1, 1, 9, 9)],
            "away": [("with_mask", 120, 5, 140, 20)],
            "twice": [("with_mask", 1, 2, 30, 40), ("with_mask", 30, 40, 1, 2), ("without_mask", 1, 2, 30, 40)],
            "empty": [],
            "alias": [("Mask_Worn_Incorrect", 1, 2, 30, 40)],
        }
    )
    xml = root / "annotations" / "clip.xml"
    xml.write_text(xml.read_text().replace("<width>96</width>", "<width>0</width>"))
    xml = root / "annotations" / "swap.xml"
    xml.write_text(xml.read_text().replace("<width>96</width><height>64", "<width>192</width><height>128"))
    out = tmp_path / "out"
    audit = convert(root, out, QUICK)
    told = [(mend.file, mend.kind) for mend in audit.mends]
    assert sorted(told) == sorted(
        [
            ("clip.xml", "clipped"),
            ("clip.xml", "size"),
            ("swap.xml", "scaled"),
            ("swap.xml", "swapped"),
            ("flat.xml", "empty"),
            ("away.xml", "clipped"),
            ("away.xml", "empty"),
            ("twice.xml", "swapped"),
            ("twice.xml", "repeated"),
            ("twice.xml", "conflict"),
            ("alias.xml", "renamed"),
        ]
    )
    (clip,) = (mend for mend in audit.mends if (mend.file, mend.kind) == ("clip.xml", "clipped"))
    assert (clip.before, clip.after, clip.line) == ((80, 10, 97, 65), (80, 10, 96, 64), 4)
    labels = {path.stem: read_labels(path) for path in out.rglob("labels/*/*.txt")}
    counts = {stem: one.class_ids.tolist() for stem, one in labels.items()}
    assert counts == {
        "clip": [0], "swap": [0], "flat": [0], "away": [], "twice": [0, 1], "empty": [], "alias": [2],
    }  # fmt: skip
    assert sum(part.background for part in audit.parts) == 2
    assert labels["swap"].rows[0].tolist() == pytest.approx([10 / 96, 15.125 / 64, 10 / 96, 9.75 / 64], abs=1e-6)


def test_one_based_shifts_the_lower_corner(make_voc, tmp_path: Path) -> None:
    root = make_voc({"a": [("with_mask", 1, 1, 96, 64)], "b": []})
    convert(root, tmp_path / "out", replace(QUICK, one_based=True))
    (label,) = tmp_path.glob("out/labels/*/a.txt")
    assert label.read_text() == "0 0.500000 0.500000 1.000000 1.000000\n"


def test_unknown_class(make_voc, tmp_path: Path) -> None:
    root = make_voc({"a": [("helmet", 1, 2, 30, 40), ("with_mask", 5, 5, 9, 9)], "b": []})
    with pytest.raises(AnnotationError, match=r'a.xml:4: unknown class .helmet.*--map "helmet=CLASS"'):
        convert(root, tmp_path / "out", QUICK)
    assert not (tmp_path / "out").exists()
    audit = convert(root, tmp_path / "mapped", replace(QUICK, classes=ClassMap({"helmet": "without_mask"})))
    assert sum(part.boxes[1] for part in audit.parts) == 1
    audit = convert(root, tmp_path / "skipped", replace(QUICK, skip_unknown=True))
    assert sum(sum(part.boxes) for part in audit.parts) == 1
    assert audit.mended == {"unknown": 1}


def break_it(root: Path, how: str) -> type[MaskdetError]:
    xml, picture = root / "annotations" / "p3.xml", root / "images" / "p3.jpg"
    if how == "xml":
        xml.write_text("<annotation><object>")
    elif how == "picture":
        picture.write_bytes(picture.read_bytes()[:300])
        return SourceError
    elif how == "no picture":
        picture.unlink()
    elif how == "escape":
        (root.parent / "outside.jpg").write_bytes(picture.read_bytes())
        picture.unlink()
        xml.write_text(xml.read_text().replace("p3.jpg", "../../outside.jpg"))
    elif how == "same picture":
        xml.write_text(xml.read_text().replace("p3.jpg", "p2.jpg"))
    return AnnotationError


@pytest.mark.parametrize("how", ["xml", "picture", "no picture", "escape", "same picture"])
def test_stops_with_nothing_written_or_keeps_going(ten_photos: Path, tmp_path: Path, how: str) -> None:
    kind = break_it(ten_photos, how)
    with pytest.raises(kind, match="p3"):
        convert(ten_photos, tmp_path / "out", QUICK)
    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path) == []
    audit = convert(ten_photos, tmp_path / "out", replace(QUICK, keep_going=True))
    assert [photo.file for photo in audit.left_out] == ["p3.xml"]
    assert sum(part.photos for part in audit.parts) == 9
    assert not list((tmp_path / "out").rglob("*p3*"))


def test_nothing_usable(make_voc, tmp_path: Path) -> None:
    root = make_voc({"a": []})
    (root / "images" / "a.jpg").unlink()
    with pytest.raises(DatasetError, match="no usable photo"):
        convert(root, tmp_path / "out", replace(QUICK, keep_going=True))


def test_too_few_photos_for_two_parts(make_voc, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot fill"):
        convert(make_voc({"a": []}), tmp_path / "out", QUICK)


def test_failure_half_way_leaves_nothing(ten_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    convert(ten_photos, tmp_path / "out", QUICK)
    before = digest(tmp_path / "out")
    placed = 0

    def fail_at_the_fifth(*args: object) -> None:
        nonlocal placed
        placed += 1
        if placed == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "place_picture", fail_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        convert(ten_photos, tmp_path / "new", QUICK)
    assert not (tmp_path / "new").exists()
    placed = 0
    with pytest.raises(KeyboardInterrupt):
        convert(ten_photos, tmp_path / "out", replace(QUICK, overwrite=True))
    assert digest(tmp_path / "out") == before
    assert leftovers(tmp_path) == []


def test_overwrites_only_its_own_and_only_when_told(ten_photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    convert(ten_photos, out, QUICK)  # an empty folder may be filled
    with pytest.raises(DatasetError, match="add --overwrite"):
        convert(ten_photos, out, QUICK)
    (out / "stale.txt").touch()
    convert(ten_photos, out, replace(QUICK, overwrite=True))
    assert not (out / "stale.txt").exists()
    weights = out / "runs" / "train" / "weights" / "best.pt"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"hours of work")
    with pytest.raises(DatasetError, match=r"best\.pt, not from maskdet"):
        convert(ten_photos, out, replace(QUICK, overwrite=True))
    assert weights.read_bytes() == b"hours of work"
    shutil.rmtree(out / "runs")
    (out / "audit.json").unlink()
    with pytest.raises(DatasetError, match="not written by maskdet"):
        convert(ten_photos, out, replace(QUICK, overwrite=True))
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="not a folder"):
        convert(ten_photos, tmp_path / "file", replace(QUICK, overwrite=True))


@pytest.mark.parametrize("target", [".", ".."])
def test_never_replaces_the_source(ten_photos: Path, target: str) -> None:
    with pytest.raises(DatasetError, match="is or contains the data set"):
        convert(ten_photos, ten_photos / target, replace(QUICK, overwrite=True))
    assert len(list((ten_photos / "images").iterdir())) == 10


@pytest.mark.parametrize("kind", ["link", "symlink", "copy"])
def test_ways_to_place_pictures(ten_photos: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    convert(ten_photos, out, replace(QUICK, images=kind))
    picture = next(out.glob("images/*/p0.jpg"))
    source = ten_photos / "images" / "p0.jpg"
    assert picture.read_bytes() == source.read_bytes()
    assert picture.is_symlink() == (kind == "symlink")
    assert (not picture.is_symlink() and os.path.samefile(picture, source)) == (kind == "link")  # noqa: PTH121


def test_link_falls_back_to_copy(ten_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    convert(ten_photos, tmp_path / "out", QUICK)
    assert len(list((tmp_path / "out").glob("images/*/*.jpg"))) == 10


def test_folds(ten_photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    audit = convert(ten_photos, out, replace(QUICK, folds=4, test_fraction=0.2))
    assert [part.split for part in audit.parts] == ["test", "fold1", "fold2", "fold3", "fold4"]
    assert (out / "data.yaml").read_text() == (out / "fold1.yaml").read_text()
    for number in range(1, 5):
        described = yaml.safe_load((out / f"fold{number}.yaml").read_text())
        assert described["val"] == f"images/fold{number}"
        assert described["test"] == "images/test"
        assert sorted([*described["train"], described["val"]]) == [f"images/fold{n}" for n in range(1, 5)]
    described = yaml.safe_load((out / "all.yaml").read_text())
    assert described["train"] == [f"images/fold{n}" for n in range(1, 5)]
    assert (described["val"], described["test"]) == ("images/fold1", "images/test")


def test_the_selfie_series_is_a_part_beside_the_folds(make_voc, tmp_path: Path) -> None:
    face = [("with_mask", 10, 10, 60, 60)]
    root = make_voc({f"p{number}": face for number in range(6)})
    make_voc({f"maksssksksss{n}": face for n in range(3)}, draw=lambda n: np.full((400, 301, 3), n, np.uint8))
    audit = convert(root, tmp_path / "out", replace(QUICK, folds=2))
    assert [(fold.fold, fold.groups, fold.photos, fold.sizes) for fold in audit.folds] == [
        ("fold1", 3, 3, (0, 0, 3)), ("fold2", 3, 3, (0, 0, 3)), ("series", 1, 3, (0, 0, 3)),
    ]  # fmt: skip
    told = {path.stem: yaml.safe_load(path.read_text()) for path in (tmp_path / "out").glob("*.yaml")}
    assert sorted(told) == ["all", "data", "fold1", "fold2", "series"]
    # The series is trained on with every fold, and tested by what is trained on all of them.
    assert told["fold1"]["train"] == ["images/fold2", "images/series"]
    assert (told["series"]["train"], told["series"]["val"]) == (["images/fold1", "images/fold2"], "images/series")
    assert told["all"]["train"] == ["images/fold1", "images/fold2", "images/series"]
    whole = convert(root, tmp_path / "whole", replace(QUICK, folds=2, series=False))
    assert sorted(fold.fold for fold in whole.folds) == ["fold1", "fold2"]


def test_groups_file_keeps_photos_together(ten_photos: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("".join(f"p{number},{number % 2}\n" for number in range(10)))
    convert(ten_photos, tmp_path / "out", replace(QUICK, groups=groups, val_fraction=0.5))
    parts = [{path.stem for path in (tmp_path / "out/images" / split).iterdir()} for split in ("train", "val")]
    assert sorted(map(sorted, parts)) == [[f"p{n}" for n in range(start, 10, 2)] for start in (0, 1)]


def test_copies_stay_together_and_leaks_are_told(make_voc, tmp_path: Path) -> None:
    root = make_voc({f"p{number}": [] for number in range(6)}, layout="voc")
    images = root / "JPEGImages"
    (images / "p5.jpg").write_bytes((images / "p0.jpg").read_bytes())
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("p0\np1\np2\n")
    (lists / "val.txt").write_text("p3\np5\n")
    options = ConvertOptions(quiet=True)
    for seed in range(5):
        assert not convert(root, tmp_path / f"grouped{seed}", replace(options, seed=seed)).leaks
    audit = convert(root, tmp_path / "voc", replace(options, split="voc"))
    assert [(pair.first, pair.second, pair.kind, pair.splits) for pair in audit.leaks] == [
        ("p0.xml", "p5.xml", "file", ("train", "val"))
    ]
    assert audit.unlisted == ("p4.xml",)
    assert {part.split: part.photos for part in audit.parts} == {"train": 3, "val": 2}


@pytest.mark.parametrize(
    "wrong",
    [{"val_fraction": 0.0}, {"val_fraction": 0.7, "test_fraction": 0.3}, {"folds": 1}, {"folds": 3, "split": "voc"}],
)
def test_wrong_options(ten_photos: Path, tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(DatasetError):
        convert(ten_photos, tmp_path / "out", replace(QUICK, **wrong))


def test_real_public_split(real_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    audit = convert(real_data, out, replace(QUICK, split="public", images="symlink"))
    counts = {part.split: (part.photos, part.boxes) for part in audit.parts}
    assert counts == {"train": (683, (2639, 603, 104)), "val": (170, (593, 114, 19))}
    assert audit.mended == {"clipped": 12}
    for mend in audit.mends:
        assert mend.before is not None
        assert mend.after is not None
        assert mend.before[2] == mend.after[2] + 1
        assert mend.before[:2] + mend.before[3:] == mend.after[:2] + mend.after[3:]
    # The rule once more, in the words of those who published it.
    names = sorted(os.listdir(real_data / "annotations"))  # noqa: PTH208
    random.seed(42)
    random.shuffle(names)
    expected = {Path(name).stem for name in names[:170]}
    assert {path.stem for path in (out / "labels/val").iterdir()} == expected


def test_real_grouped_split(real_data: Path, tmp_path: Path) -> None:
    options = ConvertOptions(quiet=True, images="symlink")
    audit = convert(real_data, tmp_path / "one", options)
    assert audit.leaks == ()
    assert audit.pairs
    train, val = audit.parts
    assert (train.split, val.split) == ("train", "val")
    for whole, part in zip(map(sum, zip(train.boxes, val.boxes, strict=True)), val.boxes, strict=True):
        assert part == pytest.approx(0.2 * whole, abs=0.01 * whole + 1)
    convert(real_data, tmp_path / "two", options)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
