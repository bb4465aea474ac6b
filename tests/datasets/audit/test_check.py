from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskdet.datasets.audit.check import check, load
from maskdet.datasets.audit.stats import count, plot, side_titles
from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.errors import DatasetError


def test_a_converted_set_is_clean_and_reads_back(ten_photos: Path, tmp_path: Path) -> None:
    convert(ten_photos, tmp_path / "out", ConvertOptions(quiet=True, duplicates=False))
    audit = check(tmp_path / "out", quiet=True)
    assert audit.layout == "yolo"
    assert (audit.mends, audit.left_out, audit.pairs) == ((), (), ())
    voc, _ = read_voc(ten_photos, ReadOptions(quiet=True))
    yolo, names = load(tmp_path / "out" / "data.yaml", quiet=True)
    assert names == ("with_mask", "without_mask", "mask_weared_incorrect")
    boxes = {photo.picture.path.name: photo for photo in yolo.photos}
    for photo in voc.photos:
        again = boxes[photo.picture.path.name]
        assert (again.class_ids == photo.class_ids).all()
        assert np.abs(again.boxes - photo.boxes).max() < 2e-4


def test_faults_of_a_yolo_set(ten_photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(ten_photos, out, ConvertOptions(quiet=True, duplicates=False, images="copy"))
    labels = sorted((out / "labels/train").iterdir())
    labels[0].write_text("0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n1 0.99 0.5 0.2 0.2\n1 0.5 0.5 0 0.2\n2 0.5 0.5 0.2 0\n")
    labels[1].write_text("3 0.5 0.5 0.2 0.2\n")
    labels[2].write_text("0 0.5 0.5\n")
    labels[3].unlink()
    (out / "images/train" / f"{labels[4].stem}.jpg").write_bytes(b"no picture")
    twin = next((out / "images/val").iterdir())
    (out / "images/train" / "twin.jpg").write_bytes(twin.read_bytes())
    audit = check(out, quiet=True)
    assert [(mend.kind, mend.line) for mend in audit.mends] == [
        ("repeated", 2),
        ("clipped", 3),
        ("empty", 4),
        ("empty", 5),
    ]
    assert {photo.file.rpartition("/")[2].partition(".")[0]: photo.reason for photo in audit.left_out} == {
        labels[1].stem: "line 1: class 3: the last one is 2",
        labels[2].stem: "line 1: expected five numbers: class, centre x, centre y, width, height",
        labels[4].stem: "not a picture that can be read, but a text",
    }
    assert list(audit.unannotated) == [f"train/{labels[3].stem}.jpg", "train/twin.jpg"]
    assert [(pair.first, pair.second, pair.kind) for pair in audit.leaks] == [
        ("train/twin.jpg", f"val/{twin.name}", "file")
    ]


def test_check_of_a_voc_set_lists_everything_at_once(make_voc) -> None:
    root = make_voc({"a": [("helmet", 1, 2, 30, 40)], "b": [("with_mask", 90, 2, 100, 40)], "c": []})
    (root / "annotations" / "d.xml").write_text("<annotation>")
    audit = check(root, quiet=True)
    assert [photo.file for photo in audit.left_out] == ["a.xml", "d.xml"]
    assert audit.mended == {"clipped": 1}
    assert [part.split for part in audit.parts] == ["all"]
    assert audit.unannotated == ("a.jpg",)


def test_neither_voc_nor_yolo(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file or folder"):
        check(tmp_path / "none")
    with pytest.raises(DatasetError, match="no Pascal VOC annotations"):
        check(tmp_path)
    (tmp_path / "a.yaml").touch()
    (tmp_path / "b.yaml").touch()
    with pytest.raises(DatasetError, match="several YAML files"):
        check(tmp_path)


def test_counts(make_voc) -> None:
    root = make_voc(
        {"a": [("with_mask", 0, 0, 8, 8), ("with_mask", 0, 0, 64, 16), ("without_mask", 0, 0, 7, 7)], "b": []}
    )
    collection, names = load(root, quiet=True)
    counted = count(collection.photos, names)
    assert counted.side_counts().tolist() == [[0, 1, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0], [0] * 6]
    assert len(side_titles()) == 6
    assert counted.faces.tolist() == [3, 0]
    (part,) = counted.parts
    assert (part.split, part.photos, part.background, part.boxes) == ("all", 2, 1, (2, 1, 0))


@pytest.mark.parametrize("boxes", [[], [("with_mask", 0, 0, 8, 8)]])
def test_plot_is_a_png_with_the_same_bytes(make_voc, tmp_path: Path, boxes: list[tuple[object, ...]]) -> None:
    pytest.importorskip("matplotlib")
    collection, names = load(make_voc({"a": boxes}), quiet=True)
    counted = count(collection.photos, names)
    plot(counted, tmp_path / "a.png")
    plot(counted, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DatasetError, match="cannot be written"):
        plot(counted, tmp_path / "none" / "a.png")


def test_what_a_training_would_do_is_said(tmp_path: Path, write_png, capsys: pytest.CaptureFixture[str]) -> None:
    from maskdet.cli import main

    write_png("images/a.png")
    (tmp_path / "data.yaml").write_text("train: images\nnames: [no-mask, helmet]\n")
    with pytest.raises(SystemExit) as ended:
        main(["data", "check", str(tmp_path)])
    assert ended.value.code == 0
    assert capsys.readouterr().err.splitlines() == [
        "note: classes: no-mask (without_mask), helmet",
        "note: no usable photo in val; maskdet train needs both train and val",
    ]
