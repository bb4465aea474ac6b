from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.datasets.voc.parse import parse_voc
from maskdet.errors import AnnotationError


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "a.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


OBJECT = """<object>
  <name> with_mask </name>
  <part><name>nose</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>
  <bndbox><xmin>1.5</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>
</object>"""


def test_reads_name_box_size_and_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"<annotation>\n<filename>é b.png</filename>\n<size><width>96</width><height>64</height></size>\n{OBJECT}\n"
        "</annotation>",
    )
    annotation = parse_voc(path)
    assert annotation.filename == "é b.png"
    assert annotation.size == (96, 64)
    (found,) = annotation.objects
    assert (found.name, found.box, found.line) == ("with_mask", (1.5, 2.0, 30.0, 40.0), 4)


@pytest.mark.parametrize(
    "size",
    [
        "",
        "<size/>",
        "<size><width>0</width><height>0</height></size>",
        "<size><width>x</width><height>3</height></size>",
        "<size><width>-4</width><height>3</height></size>",
        "<size><width>inf</width><height>3</height></size>",
    ],
)
def test_useless_size_is_none(tmp_path: Path, size: str) -> None:
    annotation = parse_voc(write(tmp_path, f"<annotation>{size}</annotation>"))
    assert annotation.size is None
    assert annotation.objects == ()
    assert annotation.filename is None


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>
<annotation><filename>&lol2;</filename></annotation>"""
OUTSIDE = (
    """<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><annotation><filename>&x;</filename></annotation>"""
)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (BOMB, None, "DTD or entities"),
        (OUTSIDE, None, "DTD or entities"),
        ("<!DOCTYPE annotation><annotation/>", None, "DTD or entities"),
        ("<annotation>\n<object>\n</annotation>", 3, "not well-formed XML"),
        ("", 1, "not well-formed XML"),
        (b"\xff\xfe\x00", 1, "not well-formed XML"),
        ("<html/>", None, "not <annotation>"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', None, "save it as UTF-8"),
        ("<annotation>\n<object><bndbox/></object></annotation>", 2, "without <name>"),
        ("<annotation>\n\n<object><name>a</name></object></annotation>", 3, "without <bndbox>"),
        (
            "<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>z</ymin><xmax>2</xmax></bndbox></object>"
            "</annotation>",
            1,
            "<ymin>, <ymax>",
        ),
        (
            "<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>inf</xmax><ymax>2</ymax>"
            "</bndbox></object></annotation>",
            1,
            "no finite number",
        ),
    ],
)
def test_refuses_in_one_line_with_file_and_place(
    tmp_path: Path, text: str | bytes, line: int | None, words: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(AnnotationError) as caught:
        parse_voc(path)
    assert caught.value.line == line
    assert words in caught.value.reason
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="cannot be read"):
        parse_voc(tmp_path / "none.xml")
