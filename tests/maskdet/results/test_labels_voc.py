from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.parse import parse_voc
from maskdet.datasets.voc.read import read_voc
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo
from maskdet.results.labels import round_edges

MODEL = ModelInfo("maskdet-n", 640, 0.25)


def test_text_by_hand(two_faces: MaskResult) -> None:
    two_faces.faces.pop()
    assert (
        two_faces.to_voc()
        == """\
<annotation>
  <folder>photos</folder>
  <filename>a &amp; b.jpg</filename>
  <source>
    <database>maskdet</database>
  </source>
  <size>
    <width>400</width>
    <height>200</height>
    <depth>3</depth>
  </size>
  <segmented>0</segmented>
  <object>
    <name>with_mask</name>
    <pose>Unspecified</pose>
    <truncated>0</truncated>
    <difficult>0</difficult>
    <bndbox>
      <xmin>10</xmin>
      <ymin>20</ymin>
      <xmax>50</xmax>
      <ymax>100</ymax>
    </bndbox>
  </object>
</annotation>
"""
    )


def test_decimals(two_faces: MaskResult) -> None:
    assert "<xmin>300</xmin>" in two_faces.to_voc()
    assert "<xmin>300.25</xmin>" in two_faces.to_voc(decimals=2)


@pytest.mark.parametrize(
    ("path", "frame", "expected"),
    [("a/b.png", None, "b.png"), ("a/clip.mp4", 12, "clip_000012.jpg"), (None, None, None), ("-", None, None)],
)
def test_filename(tmp_path: Path, path: str | None, frame: int | None, expected: str | None) -> None:
    result = MaskResult([], ImageInfo(path, 4, 3, frame), MODEL, 1.0)
    (tmp_path / "a.xml").write_text(result.to_voc())
    assert parse_voc(tmp_path / "a.xml").filename == expected
    (tmp_path / "a.xml").write_text(result.to_voc(filename="other.png"))
    assert parse_voc(tmp_path / "a.xml").filename == "other.png"


@given(low=st.floats(0, 1), length=st.floats(0, 1), limit=st.integers(1, 9999), decimals=st.integers(0, 3))
def test_rounded_edges_stay_inside_and_apart(low: float, length: float, limit: int, decimals: int) -> None:
    start = low * limit
    end = start + length * (limit - start)
    left, right = round_edges(start, end, limit, decimals)
    step = 10.0**-decimals
    assert 0 <= left < right <= limit
    assert abs(left - start) <= step * 1.001
    assert abs(right - end) <= step * 1.001


@given(data=st.data())
def test_our_parser_gives_the_faces_back(
    any_result: st.SearchStrategy[MaskResult], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    result = data.draw(any_result)
    path = tmp_path_factory.getbasetemp() / "a.xml"
    path.write_bytes(result.to_voc().encode())
    annotation = parse_voc(path)
    size = (result.image.width, result.image.height)
    assert annotation.size == (size if min(size) >= 10 else None)  # below, tools write what stands for "unknown"
    assert [item.name for item in annotation.objects] == [face.name for face in result.faces]
    boxes = np.array([item.box for item in annotation.objects]).reshape(-1, 4)
    assert np.abs(boxes - result.boxes).max(initial=0) <= 1.001
    assert (boxes[:, :2] < boxes[:, 2:]).all()


@pytest.fixture
def voc_set(two_faces: MaskResult, no_face: MaskResult, tmp_path: Path) -> Path:
    """A data set whose annotations are all ours."""
    for folder in ("images", "annotations"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    for result in (two_faces, no_face):
        name = Path(str(result.image.path)).name
        pixels = np.random.default_rng(0).integers(0, 256, (result.image.height, result.image.width, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "set" / "images" / name), pixels)
        (tmp_path / "set" / "annotations" / name).with_suffix(".xml").write_text(result.to_voc())
    return tmp_path / "set"


def test_the_converter_has_nothing_to_mend(voc_set: Path, two_faces: MaskResult) -> None:
    collection, _ = read_voc(voc_set, ReadOptions(quiet=True))
    assert collection.mends == []
    photos = {photo.picture.path.name: photo for photo in collection.photos}
    assert photos["empty.jpg"].boxes.shape == (0, 4)
    found = photos["a & b.jpg"]
    assert found.class_ids.tolist() == [0, 2]
    # 300.25 and 150.5 to the nearest whole pixel, halves to the even one.
    assert found.boxes.tolist() == [[10, 20, 50, 100], [300, 150, 400, 200]]


def test_supervision_reads_the_same(voc_set: Path) -> None:
    supervision = pytest.importorskip("supervision")
    theirs = supervision.DetectionDataset.from_pascal_voc(str(voc_set / "images"), str(voc_set / "annotations"))
    boxes = {Path(path).name: found for path, _, found in theirs}
    # It takes the lower corner as a 1-based pixel number, one below the edge.
    assert boxes["a & b.jpg"].xyxy.tolist() == [[9, 19, 50, 100], [299, 149, 400, 200]]
    assert {theirs.classes[index] for index in boxes["a & b.jpg"].class_id} == {CLASS_NAMES[0], CLASS_NAMES[2]}


def test_a_name_that_xml_cannot_hold(tmp_path: Path) -> None:
    face = Face("with_mask", 0, 0.5, (0.0, 0.0, 2.0, 2.0))
    result = MaskResult([face], ImageInfo("d/\x01\udcff<é>.jpg", 4, 3), MODEL, 1.0)
    (tmp_path / "a.xml").write_bytes(result.to_voc().encode())
    assert parse_voc(tmp_path / "a.xml").filename == "__<é>.jpg"
