from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.datasets.voc.layout import find_layout
from maskdet.errors import DatasetError


@pytest.mark.parametrize("layout", ["kaggle", "voc", "flat"])
def test_recognises_each_layout(make_voc, layout: str) -> None:
    found = find_layout(make_voc({"b": [], "a": []}, layout=layout))
    assert found.kind == layout
    assert found.xml_names() == ["a.xml", "b.xml"]


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
    assert find_layout(root).xml_names() == ["a.xml"]


def test_no_annotations_or_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no Pascal VOC annotations"):
        find_layout(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        find_layout(tmp_path / "none")
