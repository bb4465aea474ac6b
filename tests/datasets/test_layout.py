from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.datasets.layout import PictureFinder, find_layout
from maskdet.datasets.voc import VocAnnotation
from maskdet.errors import AnnotationError, DatasetError


@pytest.mark.parametrize("layout", ["kaggle", "voc", "flat"])
def test_recognises_each_layout(make_voc, layout: str) -> None:
    found = find_layout(make_voc({"b": [], "a": []}, layout=layout))
    assert found.kind == layout
    assert [path.name for path in found.xml_files()] == ["a.xml", "b.xml"]


def test_folder_above_a_single_voc_set(make_voc) -> None:
    root = make_voc({"a": []}, layout="voc", name="kit/VOC2007")
    (root / "ImageSets" / "Main").mkdir(parents=True)
    found = find_layout(root.parent)
    assert found.kind == "voc"
    assert found.lists == root / "ImageSets" / "Main"
    make_voc({"a": []}, layout="voc", name="kit/VOC2012")
    with pytest.raises(DatasetError, match="VOC2007, VOC2012"):
        find_layout(root.parent)


def test_hidden_files_are_no_annotations(make_voc) -> None:
    root = make_voc({"a": []})
    (root / "annotations" / "._a.xml").write_bytes(b"\0")
    assert [path.name for path in find_layout(root).xml_files()] == ["a.xml"]


def test_no_annotations_or_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no Pascal VOC annotations"):
        find_layout(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        find_layout(tmp_path / "none")


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


@pytest.mark.parametrize(
    "filename",
    ["../a.jpg", "/etc/a.jpg", r"..\a.jpg", r"C:\a.jpg", "C:a.jpg", "//host/share/a.jpg", "sub/../../a.jpg", "a\0.jpg"],
)
def test_refuses_names_that_leave_the_data_set(finder: PictureFinder, filename: str) -> None:
    with pytest.raises(AnnotationError, match="leaves the data set"):
        finder.find(annotation("a", filename))


def test_none_or_several_pictures(finder: PictureFinder) -> None:
    with pytest.raises(AnnotationError, match="no picture found"):
        finder.find(annotation("d", "d.txt"))
    with pytest.raises(AnnotationError, match=r"several pictures fit: c.jpg, c.png"):
        finder.find(annotation("c", None))
