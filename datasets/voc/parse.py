"""Reading one Pascal VOC annotation file, safely: no entities, no DTD, nothing fetched, and bounds on everything.

The plain shape that nearly all files have is read without an XML parser, which takes five times as long. Whatever is
accepted as such is well-formed XML that means the same to a parser: UTF-8, elements of known names in the order that
all tools write, without attributes, and between them text without ``<``, ``>`` and ``&``. So there is no declaration,
DTD, entity, comment or CDATA section in it, nothing to expand and nothing to fetch. All else is left to the parser.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from maskdet.datasets.voc.annotation import CORNERS, VocAnnotation, VocObject, check_corners
from maskdet.datasets.voc.tree import check_name, make_filename, make_size, read_tree
from maskdet.errors import AnnotationError, SourceError
from maskdet.files.opening import open_file

#: Text as XML allows it, less markup, and less carriage returns, which a parser would change.
_TEXT: Final = r"[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]*"
_BLANK: Final = r"[ \t\n]*"


class PlainObject(NamedTuple):
    """One ``<object>`` as written: the line where it starts (1-based), its name, and its corners' texts by element."""

    line: int
    name: str
    corners: dict[str, str]


class PlainTexts(NamedTuple):
    """The texts of a file that count; None for an element that is not there."""

    filename: str | None
    width: str | None
    height: str | None
    objects: list[PlainObject]


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>{_BLANK}"


def _wanted(name: str) -> str:
    return _element(name, f"({_TEXT})")


def _others(names: str) -> str:
    """Return a pattern of any number of elements that do not count."""
    return f"(?:{'|'.join(_element(name, _TEXT) for name in names.split())})*"


def _inside(name: str, content: str) -> str:
    return _element(name, _BLANK + content)


_SOURCE: Final = _inside("source", _others("database annotation image flickrid"))
_SIZE: Final = _inside("size", _wanted("width") + _wanted("height") + _others("depth"))
_START: Final = re.compile(
    f"{_BLANK}<annotation>{_BLANK}{_others('folder')}(?:{_wanted('filename')})?{_others('path')}"
    f"(?:{_SOURCE})?(?:{_SIZE})?{_others('segmented')}"
)
#: In any order: some write xmin, ymin, xmax, ymax, others xmin, xmax, ymin, ymax.
_CORNERS: Final = "".join(rf"<([xy]m(?:in|ax))>({_TEXT})</\{number}>{_BLANK}" for number in (2, 4, 6, 8))
_FLAGS: Final = _others("pose truncated occluded difficult")
_OBJECT: Final = re.compile(_inside("object", _wanted("name") + _FLAGS + _inside("bndbox", _CORNERS) + _FLAGS))
_END: Final = re.compile(f"</annotation>{_BLANK}")


def read_plain(data: bytes) -> PlainTexts | None:
    """Return what counts in a file of the plain shape; None where a parser must tell.

    >>> read_plain(b"<annotation><filename>a.jpg</filename></annotation>")
    PlainTexts(filename='a.jpg', width=None, height=None, objects=[])
    >>> read_plain(b"<annotation><!-- a comment --></annotation>") is None
    True
    """
    # Objects marked as difficult are rare, and to look at every mark would take as long as all else.
    if data.count(b"<difficult>") != data.count(b"<difficult>0</difficult>"):
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    start = _START.match(text)
    if start is None:
        return None
    objects = []
    at, counted, line = start.end(), 0, 1
    while (found := _OBJECT.match(text, at)) is not None:
        name, key1, text1, key2, text2, key3, text3, key4, text4 = found.groups()
        corners = {key1: text1, key2: text2, key3: text3, key4: text4}
        if len(corners) < 4:
            return None
        line += text.count("\n", counted, at)
        counted = at
        objects.append(PlainObject(line, name, corners))
        at = found.end()
    filename, width, height = start.groups()
    return None if _END.fullmatch(text, at) is None else PlainTexts(filename, width, height, objects)


#: Some ten thousand boxes.
MAX_BYTES: Final = 4_000_000


def parse_voc(path: Path) -> VocAnnotation:
    """Read one annotation file, whose root is ``<annotation>``.

    Objects are found at any depth; one that has no box is put around its polygon or turned box. One that has neither is
    left out, with a notice.

    Raises:
        AnnotationError: the file cannot be read, is too large, is not XML, declares entities or a DTD, is no
            annotation, has boxes outside of objects only, or an object without a name, without a number where a
            coordinate should be, or without a box and no other object. The message carries the line.
    """
    try:
        with open_file(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise AnnotationError(path, f"is larger than {MAX_BYTES // 1_000_000} MB: no Pascal VOC file")
            data = file.read()
    except OSError as error:
        raise AnnotationError(path, f"cannot be read: {error.strerror}") from error
    except SourceError as error:
        raise AnnotationError(path, error.reason) from error
    plain = read_plain(data)
    if plain is None:
        return read_tree(path, data)
    objects = tuple([_make_object(path, item) for item in plain.objects])
    return VocAnnotation(path, make_filename(path, plain.filename), make_size(plain.width, plain.height), objects)


def _make_object(path: Path, item: PlainObject) -> VocObject:
    name = check_name(path, item.name, item.line)
    try:
        box = check_corners([item.corners[corner] for corner in CORNERS])
    except ValueError as error:
        raise AnnotationError(path, f"object {name!r}: {error}", item.line) from error
    return VocObject(name, box, item.line)
