from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.datasets.voc.annotation import VocAnnotation
from maskdet.datasets.voc.picture_finder import PictureFinder
from maskdet.errors import AnnotationError


def annotation(stem: str, filename: str | None) -> VocAnnotation:
    return VocAnnotation(Path("set/annotations") / f"{stem}.xml", filename, None, ())


@pytest.fixture
def finder(tmp_path: Path) -> PictureFinder:
    for name in ("a.jpg", "b b é.PNG", "c.jpg", "c.png", "d.txt", "sub/e.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return PictureFinder(tmp_path)


@pytest.mark.parametrize(
    ("stem", "filename", "found", "named"),
    [
        ("z", "a.jpg", "a.jpg", True),
        ("a", "a.png", "a.jpg", False),
        ("a", None, "a.jpg", False),
        ("z", "a.bmp", "a.jpg", False),
        ("b b é", None, "b b é.PNG", False),
        ("c", "c.png", "c.png", True),
        ("z", "images/a.jpg", "a.jpg", True),
        ("z", r"images\a.jpg", "a.jpg", True),
        ("z", "sub/e.jpg", "e.jpg", True),
    ],
)
def test_finds_by_name_then_stem(
    finder: PictureFinder, stem: str, filename: str | None, found: str, named: bool
) -> None:
    path, by_name = finder.find(annotation(stem, filename))
    assert (path.name, by_name) == (found, named)


def test_none_or_several_pictures(finder: PictureFinder) -> None:
    with pytest.raises(AnnotationError, match="no picture found"):
        finder.find(annotation("d", "d.txt"))
    with pytest.raises(AnnotationError, match=r"several pictures fit: c.jpg, c.png"):
        finder.find(annotation("c", None))


@pytest.mark.parametrize(
    "filename",
    [
        r"C:\Users\guard\Desktop\set\a.jpg", "C:/set/a.jpg", "C:a.jpg", "file:///C:/set/a.jpg", "/home/me/set/a.jpg",
        "//host/share/a.jpg", r"\\host\share\a.jpg", "../a.jpg", r"..\a.jpg", "sub/../../a.jpg", "./a.jpg",
    ],
)  # fmt: skip
def test_folders_before_the_name_do_not_matter(finder: PictureFinder, filename: str) -> None:
    path, by_name = finder.find(annotation("z", filename))
    assert (path.name, by_name) == ("a.jpg", True)


def test_nothing_outside_is_ever_found(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (tmp_path / "a.jpg").touch()
    for filename in ("../a.jpg", str(tmp_path / "a.jpg"), "a\0.jpg", "..", "/", "C:", ""):
        with pytest.raises(AnnotationError, match="no picture found"):
            PictureFinder(images).find(annotation("a", filename))


@pytest.mark.parametrize(
    ("picture", "filename"),
    [
        ("img_9.jpg", "IMG_9.JPG"),
        ("IMG_9.JPG", "img_9.jpg"),
        ("img_9.jpg", "IMG_9.png"),
        ("img_9.jpg", "IMG_9"),
        ("a b.jpg", "a%20b.jpg"),
        ("a%20b.jpg", "a b.jpg"),
        ("caf\u00e9.jpg", "cafe\u0301.jpg"),
        ("cafe\u0301.jpg", "CAF\u00c9.jpeg"),
        ("photo.v2.jpg", "photo.v2"),
        ("photo.v2.jpg", "Photo.V2.png"),
    ],
)
def test_one_that_fits_but_for_spelling_is_taken(tmp_path: Path, picture: str, filename: str) -> None:
    for name in (picture, "other.jpg"):
        (tmp_path / name).touch()
    path, named = PictureFinder(tmp_path).find(annotation("z", filename))
    assert (path.name, named) == (picture, False)


def test_the_spelling_of_filename_counts_before_the_xml_files_name(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    assert PictureFinder(tmp_path).find(annotation("b", "A.JPG"))[0].name == "a.jpg"


def test_several_that_fit_but_for_case(tmp_path: Path) -> None:
    for name in ("a.jpg", "A.jpg"):
        (tmp_path / name).touch()
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("a file system that does not tell case")
    with pytest.raises(AnnotationError, match=r"several pictures fit: A.jpg, a.jpg"):
        PictureFinder(tmp_path).find(annotation("z", "A.JPG"))
    assert PictureFinder(tmp_path).find(annotation("z", "A.jpg"))[0].name == "A.jpg"


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".gif", ".avif", ".heic", ".ppm", ".JFIF"])
def test_pictures_of_other_endings_are_pictures(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"x{suffix}").touch()
    assert PictureFinder(tmp_path).find(annotation("x", None))[0].name == f"x{suffix}"
    (tmp_path / "x.jpg").touch()  # where both are there, the one that can be trained on
    assert PictureFinder(tmp_path).find(annotation("x", None))[0].name == "x.jpg"


@pytest.fixture
def cameras(tmp_path: Path) -> PictureFinder:
    for name in ("cam1/f_0.jpg", "cam1/f_1.jpg", "cam2/f_0.jpg", "cam2/only.jpg", "f_0.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return PictureFinder(tmp_path)


@pytest.mark.parametrize(
    ("name", "filename", "found"),
    [
        ("cam1/f_0.xml", "f_0.jpg", "cam1/f_0.jpg"),
        ("cam2/f_0.xml", "f_0.jpg", "cam2/f_0.jpg"),
        ("cam2/f_0.xml", None, "cam2/f_0.jpg"),
        ("cam2/f_0.xml", "F_0.JPEG", "cam2/f_0.jpg"),
        ("cam1/x.xml", "cam2/f_0.jpg", "cam2/f_0.jpg"),
        ("x.xml", r"D:\set\cam1\f_0.jpg", "cam1/f_0.jpg"),
        ("x.xml", "only.jpg", "cam2/only.jpg"),
        ("cam1/x.xml", "only.jpg", None),  # in another camera's folder: not a guess
        ("cam1/x.xml", "f_0.png", "cam1/f_0.jpg"),
        ("night/x.xml", "only.jpg", "cam2/only.jpg"),
        ("night/x.xml", "f_1.jpg", "cam1/f_1.jpg"),
        ("x.xml", "f_0.jpg", None),  # in both
    ],
)
def test_folders_of_cameras(cameras: PictureFinder, name: str, filename: str | None, found: str | None) -> None:
    asked = VocAnnotation(Path("set/annotations") / name, filename, None, ())
    if found is None:
        with pytest.raises(AnnotationError):
            cameras.find_name(asked, name)
    else:
        assert cameras.find_name(asked, name)[0] == found
