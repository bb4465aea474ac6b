"""The quick way must say what the XML parser says, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.datasets.voc.annotation import VocAnnotation
from maskdet.datasets.voc.parse import parse_voc, read_plain
from maskdet.datasets.voc.tree import read_tree
from maskdet.errors import AnnotationError

LABELIMG = b"""<annotation>
\t<folder>images</folder>
\t<filename>a.jpg</filename>
\t<path>C:\\photos\\a.jpg</path>
\t<source>
\t\t<database>Unknown</database>
\t</source>
\t<size>
\t\t<width>96</width>
\t\t<height>64</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>with_mask</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>1</xmin>
\t\t\t<xmax>30</xmax>
\t\t\t<ymin>2.5</ymin>
\t\t\t<ymax>40</ymax>
\t\t</bndbox>
\t</object>
</annotation>
"""


def test_the_usual_file_is_plain() -> None:
    found = read_plain(LABELIMG)
    assert found is not None
    assert (found.filename, found.width, found.height) == ("a.jpg", "96", "64")
    corners = {"xmin": "1", "xmax": "30", "ymin": "2.5", "ymax": "40"}
    assert found.objects == [(14, "with_mask", corners)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<annotation>", b"<?xml version='1.0'?><annotation>"),
        (b"<annotation>", b"<!DOCTYPE annotation><annotation>"),
        (b"<annotation>", b"<annotation verified='yes'>"),
        (b"<folder>", b"<!-- x --><folder>"),
        (b"a.jpg</filename>", b"a&amp;b.jpg</filename>"),
        (b"a.jpg</filename>", b"<![CDATA[a]]>.jpg</filename>"),
        (b"a.jpg</filename>", b"\x01.jpg</filename>"),
        (b"a.jpg</filename>", "\uffff.jpg</filename>".encode()),
        (b"a.jpg</filename>", b"\xe9.jpg</filename>"),
        (b"</filename>", b"</filename><filename>b.jpg</filename>"),
        (b"<xmax>30</xmax>", b"<xmin>30</xmin>"),
        (b"</bndbox>", b"</bndbox><part><name>nose</name></part>"),
        (b"</object>", b"</object>text"),
        (b"\n\t<size>", b"\r\n\t<size>"),
        (b"</annotation>", b""),
        (b"</annotation>", b"</annotation><annotation/>"),
    ],
)
def test_anything_else_is_left_to_the_parser(old: bytes, new: bytes) -> None:
    assert LABELIMG.count(old) == 1
    assert read_plain(LABELIMG.replace(old, new)) is None


def outcome(data: bytes, path: Path, *, quick: bool) -> VocAnnotation | str:
    try:
        if not quick:
            return read_tree(path, data)
        path.write_bytes(data)
        return parse_voc(path)
    except AnnotationError as error:
        return str(error)


TAGS = [
    "annotation",
    "filename",
    "folder",
    "size",
    "width",
    "height",
    "object",
    "name",
    "pose",
    "bndbox",
    "xmin",
    "ymax",
]
TEXTS = st.sampled_from(
    ["", " ", "\n", "3", " 7.5\n", "x", "é b", "inf", "1_0", "&lt;", "<!---->", "<x/>", "\r\n", "]]>"]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A plain file, usually changed in a few places: a text, an element left out, doubled, renamed, or a character."""

    def leaf(tag: str) -> str:
        text = draw(TEXTS) if draw(st.integers(0, 9)) == 0 else "12"
        return f"<{tag}>{text}</{tag}>" * draw(st.sampled_from([1] * 20 + [0, 2])) + draw(
            st.sampled_from(["", "\n", " "])
        )

    corners = draw(st.permutations(["xmin", "ymin", "xmax", "ymax"]))
    objects = ""
    for _ in range(draw(st.integers(0, 3))):
        box = "<bndbox>" + "".join(map(leaf, corners)) + "</bndbox>"
        objects += (
            "<object>" + leaf("name") + leaf("pose") + box * draw(st.sampled_from([1] * 9 + [0, 2])) + "</object>\n"
        )
    size = "<size>" + leaf("width") + leaf("height") + "</size>"
    text = f"<annotation>{leaf('folder')}{leaf('filename')}{size}{objects}</annotation>"
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        old, new = draw(st.sampled_from(TAGS)), draw(st.sampled_from(TAGS))
        text = text.replace(f"<{old}>", f"<{new}>", 1)
        if draw(st.booleans()):
            text = text.replace(f"</{old}>", f"</{new}>", 1)
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["<", ">", "&", "\0", "\n", "\ufeff", ""])) + text[at + 1 :]
    return text.encode()


@given(files())
def test_both_ways_agree(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "same.xml"
    assert outcome(data, path, quick=True) == outcome(data, path, quick=False)
