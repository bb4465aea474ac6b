from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.classes import CLASS_COLOURS
from maskdet.cli import main
from maskdet.datasets.audit.check import load
from maskdet.datasets.audit.show import draw_photos, find_photos
from maskdet.errors import DatasetError


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(arg) for arg in args])
    return int(caught.value.code or 0)


def is_colour(pixel: np.ndarray, class_id: int) -> bool:
    return bool((np.abs(pixel.astype(int) - CLASS_COLOURS[class_id]) < 12).all())


def test_a_photo_beside_its_labels(ten_photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "one.png"
    assert run("data", "show", ten_photos, "--photo", "p1", "--save", target) == 0
    assert capfd.readouterr().out == f"{target}\n"
    photo = find_photos(ten_photos, load(ten_photos, quiet=True)[0], ["p1.jpg"])[0]
    width, height = photo.picture.size
    drawn, scale, top = cv2.imread(str(target)), 640 / width, 6 + 18  # the edge and the title
    assert drawn.shape == (top + round(height * scale) + 6, 6 + 640 + 6 + 640 + 6, 3)
    # The left edges of the boxes 5, 6, 30, 40 and 40, 10, 70, 50, half-way down: a mask, and one that is worn wrong.
    for left, middle, class_id in ((5, 23, 0), (40, 30, 2)):
        x, y = round(left * scale), top + round(middle * scale)
        assert is_colour(drawn[y, 6 + 640 + 6 + x], class_id)
        assert not is_colour(drawn[y, 6 + x], class_id)


def test_a_converted_set_shows_the_same(ten_photos: Path, tmp_path: Path) -> None:
    assert run("convert", ten_photos, tmp_path / "yolo", "--quiet", "--no-duplicates") == 0
    for root, name in ((ten_photos, "voc.png"), (tmp_path / "yolo", "yolo.png"), (tmp_path / "yolo", "again.png")):
        assert run("data", "show", root, "--photo", "p1", "--photo", "p2", "--save", tmp_path / name) == 0
    voc, yolo, again = (cv2.imread(str(tmp_path / name)) for name in ("voc.png", "yolo.png", "again.png"))
    assert (voc == yolo).all()
    assert (yolo == again).all()
    # Four more stand two in a row.
    many = [word for number in range(4) for word in ("--photo", f"p{number}")]
    assert run("data", "show", ten_photos, *many, "--save", tmp_path / "four.png") == 0
    assert cv2.imread(str(tmp_path / "four.png")).shape == (6 + 2 * (318 + 6), 6 + 4 * (400 + 6), 3)


def test_photos_are_drawn_by_seed(ten_photos: Path) -> None:
    photos = load(ten_photos, quiet=True)[0].photos
    names = [photo.name for photo in draw_photos(photos, 4, seed=1)]
    assert names == [photo.name for photo in draw_photos(photos, 4, seed=1)]
    assert names != [photo.name for photo in draw_photos(photos, 4, seed=2)]
    assert len(set(names)) == 4
    assert sorted(photo.name for photo in draw_photos(photos, 99, seed=0)) == [f"p{at}.xml" for at in range(10)]


def test_names_that_are_none(ten_photos: Path, make_voc, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("data", "show", ten_photos, "--photo", "p77", "--save", tmp_path / "a.png") == 2
    assert "no photo is called 'p77'; one is p0.jpg" in capfd.readouterr().err
    assert run("data", "show", ten_photos, "--photo", "p1", "--count", 2, "--save", tmp_path / "a.png") == 2
    photo = ten_photos / "images" / "p1.jpg"
    before = photo.read_bytes()
    assert run("data", "show", ten_photos, "--photo", "p1", "--save", photo) == 2
    assert photo.read_bytes() == before
    (ten_photos / "images" / "p3.jpg").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"p3\.xml cannot be used: p3\.jpg is empty"):
        find_photos(ten_photos, load(ten_photos, quiet=True)[0], ["p3"])
    assert not (tmp_path / "a.png").exists()


def test_one_name_in_two_parts(ten_photos: Path, tmp_path: Path) -> None:
    assert run("convert", ten_photos, tmp_path / "yolo", "--quiet", "--no-duplicates", "--images", "copy") == 0
    twin = next((tmp_path / "yolo/images/val").iterdir())
    (tmp_path / "yolo/images/train" / twin.name).write_bytes(twin.read_bytes())
    collection, _ = load(tmp_path / "yolo", quiet=True)
    with pytest.raises(DatasetError, match=f"several photos are called '{twin.stem}': name one of train/{twin.name}"):
        find_photos(tmp_path, collection, [twin.stem])
    assert find_photos(tmp_path, collection, [f"val/{twin.name}"])[0].split == "val"
