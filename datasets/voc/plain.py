"""The plain shape that nearly all annotation files have, read without an XML parser.

Whatever is accepted here is well-formed XML that means the same to an XML parser: UTF-8, elements of known names in the
order that all tools write, without attributes, and between them text without ``<``, ``>`` and ``&``. So there is no
declaration, DTD, entity, comment or CDATA section in it, nothing to expand and nothing to fetch. Everything else, right
or wrong, is left to the parser, which takes five times as long.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

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
