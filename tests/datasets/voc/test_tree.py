"""Objects wherever tools put them, boxes however they write them, and bounds on everything."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.datasets.voc.annotation import VocAnnotation
from maskdet.datasets.voc.parse import MAX_BYTES, parse_voc
from maskdet.datasets.voc.tree import MAX_DEPTH, MAX_ELEMENTS, MAX_NAME, read_tree
from maskdet.errors import AnnotationError

BOX = "<bndbox><xmin>12</xmin><ymin>12</ymin><xmax>36</xmax><ymax>42</ymax></bndbox>"
OTHER = "<object><name>b</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>"


def read(inside: str, root: str = "annotation") -> VocAnnotation:
    return read_tree(Path("w.xml"), f"<{root}>\n{inside}\n</{root.partition(' ')[0]}>".encode())


def boxes(inside: str) -> list[tuple[str, tuple[float, ...]]]:
    return [(item.name, item.box) for item in read(inside).objects]


@pytest.mark.parametrize(
    "inside",
    [
        f"<objects><object><name>a</name>{BOX}</object></objects>",
        f"<data><frame><objects><object><name>a</name>{BOX}</object></objects></frame></data>",
        f"<object><object><name>a</name>{BOX}</object></object>",
        f"<object><name>a</name><region>{BOX}</region></object>",
        "<object><name>a</name><xmin>12</xmin><ymin>12</ymin><xmax>36</xmax><ymax>42</ymax></object>",
        f"<Object><Name>a</Name>{BOX.upper()}</Object>",
        f"<OBJECT><NAME>a</NAME>{BOX.replace('bndbox', 'BndBox')}</OBJECT>",
        f"<v:object xmlns:v='urn:voc'><v:name>a</v:name>{BOX.replace('<', '<v:').replace('<v:/', '</v:')}</v:object>",
        f"<object><part><name>nose</name>{BOX.replace('36', '20')}</part><name>a</name>{BOX}</object>",
    ],
)
def test_an_object_is_found_at_any_depth_and_in_any_spelling(inside: str) -> None:
    assert boxes(inside) == [("a", (12, 12, 36, 42))]


@pytest.mark.parametrize("root", ["annotation verified='yes'", "Annotation", "annotation xmlns='urn:x'"])
def test_roots(root: str) -> None:
    assert len(read(OTHER, root).objects) == 1


@pytest.mark.parametrize(
    "inside",
    [BOX, f"<item><name>a</name>{BOX}</item>", "<face><xmin>1</xmin></face>", "<shapes><polygon/></shapes>"],
)
def test_boxes_outside_of_objects_are_no_background(inside: str) -> None:
    with pytest.raises(AnnotationError, match="outside of any <object>") as caught:
        read(inside)
    assert caught.value.line == 2
    kept = read(inside + OTHER)
    assert [item.name for item in kept.objects] == ["b"]
    assert [(notice.kind, notice.line) for notice in kept.notices] == [("astray", 2)]


@pytest.mark.parametrize(
    "outline",
    [
        "<polygon><x1>12</x1><y1>20</y1><x2>30</x2><y2>12</y2><x3>36</x3><y3>42</y3></polygon>",
        "<polygon><pt><x>12</x><y>20</y></pt><pt><x>30</x><y>12</y></pt><pt><x>36</x><y>42</y></pt></polygon>",
        "<polygon><point><x>12</x><y>20</y></point><point><x>30</x><y>12</y></point><point><x>36</x><y>42</y></point>"
        "</polygon>",
        "<polygon><points>12,20;30,12;36,42</points></polygon>",
        "<polygon points='12.0,20 30,12 36,42'/>",
        "<polygon><x1>12</x1><y1>20</y1></polygon><polygon><x1>30</x1><y1>12</y1><x2>36</x2><y2>42</y2></polygon>",
        "<bndbox/><segmentation><x1>12</x1><y1>12</y1><x2>36</x2><y2>42</y2></segmentation>",
        "<robndbox><x1>12</x1><y1>20</y1><x2>30</x2><y2>12</y2><x3>36</x3><y3>42</y3><x4>20</x4><y4>40</y4></robndbox>",
        "<bndbox><x1>12</x1><y1>20</y1><x2>30</x2><y2>12</y2><x3>36</x3><y3>42</y3><x4>20</x4><y4>40</y4></bndbox>",
        "<robndbox><cx>24</cx><cy>27</cy><w>24</w><h>30</h><angle>0.0</angle></robndbox>",
        f"<robndbox><cx>24</cx><cy>27</cy><w>30</w><h>24</h><angle>{math.pi / 2}</angle></robndbox>",
    ],
)
def test_the_box_around_an_outline(outline: str) -> None:
    (item,) = read(f"<object><name>a</name>{outline}</object>").objects
    assert item.box == pytest.approx((12, 12, 36, 42))
    assert item.outline is not None


def test_a_box_beside_its_polygon_is_the_box() -> None:
    (item,) = read(f"<object><name>a</name><polygon><x1>0</x1><y1>0</y1></polygon>{BOX}</object>").objects
    assert (item.box, item.outline) == ((12, 12, 36, 42), None)


def test_a_box_that_cvat_turned() -> None:
    turned = "<attributes><attribute><name>rotation</name><value>{}</value></attribute></attributes>"
    (item,) = read(f"<object><name>a</name>{turned.format('0.0')}{BOX}</object>").objects
    assert (item.box, item.outline) == ((12, 12, 36, 42), None)
    (item,) = read(f"<object><name>a</name>{turned.format('90')}{BOX}</object>").objects
    assert item.box == pytest.approx((9, 15, 39, 39))  # 24 by 30 around (24, 27) becomes 30 by 24
    assert item.outline is not None


@pytest.mark.parametrize("nothing", ["", "<bndbox/>", "<points><x>1</x></points>", "<difficult>0</difficult>"])
def test_an_object_without_a_box_costs_that_object_only(nothing: str) -> None:
    found = read(f"<object><name>a</name>{nothing}</object>{OTHER}")
    assert [item.name for item in found.objects] == ["b"]
    assert [(notice.kind, notice.line) for notice in found.notices] == [("boxless", 2)]
    with pytest.raises(AnnotationError, match="without <bndbox>"):  # or a photo with a face became background
        read(f"<object><name>a</name>{nothing}</object>")


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12.0), (" 12.5\n", 12.5), ("12,5", 12.5), ("1.2e1", 12.0), ("-3", -3.0), ("12,0625", 12.0625)],
)
def test_numbers(text: str, value: float) -> None:
    assert boxes(f"<object><name>a</name>{BOX.replace('12', text, 1)}</object>") == [("a", (value, 12, 36, 42))]


@pytest.mark.parametrize("text", ["", "x", "12 px", "12,500", "1_0", "nan", "inf", "1e999", "12;5", "0x10"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(AnnotationError, match="no finite number"):
        boxes(f"<object><name>a</name>{BOX.replace('12', text, 1)}</object>")


@pytest.mark.parametrize(
    "outline",
    [
        "<polygon><x1>12</x1><y1>z</y1></polygon>",
        "<polygon><x1>12</x1></polygon>",
        "<robndbox><cx>24</cx><cy>27</cy><w>24</w><h>30</h><angle>45</angle></robndbox>",
        "<bndbox><x>12</x><y>12</y><width>24</width><height>30</height></bndbox>",
        "<bndbox><x>12</x><y>12</y><w>24</w><h>30</h></bndbox>",
        f"{BOX}{BOX.replace('12', '50')}",
    ],
)
def test_broken_outlines_are_refused(outline: str) -> None:
    with pytest.raises(AnnotationError, match=r"w\.xml:2: object 'a': "):
        boxes(f"<object><name>a</name>{outline}</object>")


@pytest.mark.parametrize(
    ("text", "difficult"),
    [("1", True), (" 1 ", True), ("true", True), ("0", False), ("", False), ("Unspecified", False)],
)
@pytest.mark.parametrize("quick", [True, False])
def test_difficult(tmp_path: Path, text: str, difficult: bool, quick: bool) -> None:
    path = tmp_path / "w.xml"
    comment = "" if quick else "<!-- -->"
    path.write_text(
        f"<annotation>{comment}<object><name>a</name><difficult>{text}</difficult>{BOX}</object></annotation>"
    )
    assert [item.difficult for item in parse_voc(path).objects] == [difficult]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<annotation>" + b" " * MAX_BYTES + b"</annotation>", "larger than 4 MB"),
        (b"<annotation>" + b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH + b"</annotation>", f"than {MAX_DEPTH} deep"),
        (b"<annotation>" + b"<a>" * 100_000, f"than {MAX_DEPTH} deep"),
        (b"<annotation>" + b"<a/>" * MAX_ELEMENTS + b"</annotation>", "more than 200,000 elements"),
        (b"<annotation><filename>" + b"a" * 5000 + b"</filename></annotation>", "<filename> has 5,000 characters"),
        (b"<annotation><object><name>" + b"a" * 5000 + b"</name></object></annotation>", "<name> has 5,000 characters"),
        (b"<" + b"a" * 5000 + b"/>", f"the root is <{'a' * 40}>"),
        (b"\0" * 5000, "not well-formed"),
    ],
    ids=["size", "depth", "open", "elements", "file name", "class name", "root", "zeros"],
)
def test_bounds(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "w.xml"
    path.write_bytes(data)
    with pytest.raises(AnnotationError) as caught:
        parse_voc(path)
    assert words in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 200
    assert len(MAX_NAME * "a") < 5000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w.xml")
    with pytest.raises(AnnotationError, match=r"cannot be read|not a file"):
        parse_voc(tmp_path / "w.xml")


WHOLE = (
    f'<?xml version="1.0" encoding="GBK"?><annotation><filename>w.jpg</filename><size><width>96</width><height>72'
    f"</height></size><object><name>a</name><difficult>1</difficult>{BOX}</object><object><name>b</name><polygon><x1>1"
    f"</x1><y1>2</y1></polygon></object></annotation>"
).encode()


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A good file with a few spans taken out, doubled or replaced."""
    data = WHOLE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 20)))
        new = draw(
            st.binary(max_size=6) | st.sampled_from([b"<", b"</a>", b"<object>", b"&", b"]]>", data[start:end] * 2])
        )
        data = data[:start] + new + data[end:]
    return data


@given(st.binary(max_size=200) | changed())
def test_any_bytes_are_an_annotation_or_one_line_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.xml"
    path.write_bytes(data)
    try:
        found = parse_voc(path)
    except AnnotationError as error:
        assert str(error).startswith(str(path))
        assert len(str(error).splitlines()) == 1
    else:
        assert found.path == path
        assert all(math.isfinite(value) for item in found.objects for value in item.box)
        assert all(item.name.strip() == item.name != "" for item in found.objects)
