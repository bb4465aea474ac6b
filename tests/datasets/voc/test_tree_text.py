"""Annotations in every encoding that tools write."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.datasets.voc.annotation import VocAnnotation
from maskdet.datasets.voc.tree import read_tree
from maskdet.errors import AnnotationError

OBJECT = (
    "<object><name>with_mask</name>"
    "<bndbox><xmin>12</xmin><ymin>12</ymin><xmax>36</xmax><ymax>42</ymax></bndbox></object>"
)


def xml(folder: str, declaration: str) -> str:
    return f"{declaration}<annotation><folder>{folder}</folder><filename>{folder}.jpg</filename>{OBJECT}</annotation>"


def read(data: bytes) -> VocAnnotation:
    return read_tree(Path("w.xml"), data)


@pytest.mark.parametrize(
    ("encoding", "folder"),
    [
        ("GBK", "口罩"),
        ("gb2312", "口罩"),
        ("GB18030", "口罩𠮷"),
        ("Big5", "口罩"),
        ("Shift_JIS", "マスク表"),
        ("EUC-JP", "マスク"),
        ("EUC-KR", "마스크"),
        ("windows-1251", "маска"),
        ("windows-1252", "Maß"),
        ("ISO-8859-15", "€"),
        ("UTF-8", "口罩"),
        ("utf-16", "口罩"),
        ("utf-32", "口罩"),
    ],
)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_declared_encodings(encoding: str, folder: str, quote: str) -> None:
    found = read(xml(folder, f"<?xml version={quote}1.0{quote} encoding={quote}{encoding}{quote}?>\n").encode(encoding))
    assert found.filename == f"{folder}.jpg"
    assert [(item.name, item.box) for item in found.objects] == [("with_mask", (12, 12, 36, 42))]
    assert found.notices == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_byte_order_marks_and_wide_text_without(encoding: str) -> None:
    assert read(xml("口罩", "").encode(encoding)).filename == "口罩.jpg"


@pytest.mark.parametrize(
    ("declared", "real"), [("utf-16", "utf-8"), ("utf-8", "utf-16"), ("ascii", "utf-8"), ("utf-32", "ascii")]
)
def test_a_wrong_declaration_does_no_harm(declared: str, real: str) -> None:
    folder = "abc" if real == "ascii" else "口罩"
    found = read(xml(folder, f'<?xml version="1.0" encoding="{declared}"?>').encode(real))
    assert (found.filename, len(found.objects), found.notices) == (f"{folder}.jpg", 1, ())


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="utf-8"?>'])
def test_what_is_in_no_encoding_is_said_and_the_boxes_stay(declaration: str) -> None:
    found = read(xml("口罩", declaration).encode("gbk"))
    assert [item.box for item in found.objects] == [(12, 12, 36, 42)]
    assert [(notice.kind, notice.line) for notice in found.notices] == [("encoding", None)]


@pytest.mark.parametrize("encoding", ["klingon", "idna", "punycode", "zlib", "hex", "unicode_escape", "utf-7", "rot13"])
def test_what_is_no_encoding_of_files_is_refused(encoding: str) -> None:
    with pytest.raises(AnnotationError, match="save it as UTF-8"):
        read(xml("a", f'<?xml version="1.0" encoding="{encoding}"?>').encode())


@pytest.mark.parametrize("encoding", ["GBK", "utf-16", "utf-8"])
def test_no_entities_in_any_encoding(encoding: str) -> None:
    dtd = '<!DOCTYPE annotation [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;">]>'
    text = xml("口罩", f'<?xml version="1.0" encoding="{encoding}"?>{dtd}').replace("with_mask", "&b;")
    with pytest.raises(AnnotationError, match="DTD or entities"):
        read(text.encode(encoding))
