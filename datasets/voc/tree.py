"""Reading an annotation with an XML parser: no entities, no DTD, nothing fetched, and bounds on everything.

Tags are taken without their namespace and in lower case. The parser knows UTF-8, UTF-16 and Latin-1 and no code page of
more than one byte a character; Python knows them. Text that Python decoded is parsed as text, so that what the file
declares no longer counts.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from maskdet.datasets.voc.annotation import Notice, VocAnnotation, VocObject, find_box, number
from maskdet.errors import AnnotationError

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]{1,200}?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,40})["']""")
#: Encodings of Python that are no encodings of files, or take quadratic time.
_NO_FILES: Final = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"})


class XmlText(NamedTuple):
    """A file's text, and the encoding it should have had where not all of it could be read, else None."""

    text: str
    broken: str | None = None


def decode_xml(data: bytes) -> XmlText | None:
    """Decode a file by its byte order mark, else by what it declares, else as UTF-8.

    Bytes that do not fit are replaced: what counts in an annotation is nearly always ASCII, in every encoding met.

    Returns:
        The text; None where a byte order mark is followed by something else, which is no text at all.

    Raises:
        LookupError: it declares an encoding that nobody knows.

    >>> decode_xml('<?xml version="1.0" encoding="GBK"?><a>口</a>'.encode("gbk")).text[-6:]
    '>口</a>'
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return XmlText(data.decode(encoding))
            except UnicodeError:
                return None
    declared = _DECLARED.match(data)
    encoding = "utf-8" if declared is None else codecs.lookup(declared[1].decode()).name
    if encoding.replace("_", "-") in _NO_FILES:
        raise LookupError(f"unknown encoding: {encoding}")
    if encoding.startswith(("utf-16", "utf-32")):  # a declaration that could be read as ASCII is wrong
        encoding = "utf-8"
    try:
        return XmlText(data.decode(encoding))
    except UnicodeError:
        pass
    try:
        return XmlText(data.decode())
    except UnicodeError:
        return XmlText(data.decode(encoding, errors="replace"), encoding)


#: Far above any annotation: elements within each other, and in all.
MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 200_000
#: Characters of a class name or a file name.
MAX_NAME: Final = 1000
#: Pixels a side that ``<size>`` may claim. Below, tools write 0, 1 or the like for "unknown".
_SIDES: Final = (10, 1_000_000)
#: Elements that make an annotation one with boxes, wherever they stand.
_BOXES: Final = frozenset({"bndbox", "robndbox", "polygon", "xmin"})
_OBJECTS: Final = _BOXES | {"object"}


class _Builder(TreeBuilder):
    """A tree builder that keeps within bounds and remembers on which line each object and box starts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.lines: dict[Element, int] = {}
        self.parser: DefusedXMLParser | None = None
        self._path = path
        self._depth = self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"has elements more than {MAX_DEPTH} deep")
        if self._count > MAX_ELEMENTS:
            self._refuse(f"has more than {MAX_ELEMENTS:,} elements")
        tag = tag.rpartition("}")[2].lower()
        element = super().start(tag, attrs)
        if tag in _OBJECTS:
            self.lines[element] = self._line()
        return element

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag.rpartition("}")[2].lower())

    def _line(self) -> int:
        assert self.parser is not None
        return int(self.parser.parser.CurrentLineNumber)

    def _refuse(self, reason: str) -> NoReturn:
        raise AnnotationError(self._path, f"{reason}: no Pascal VOC file", self._line())


def read_tree(path: Path, data: bytes) -> VocAnnotation:
    """Read an annotation from its bytes.

    Raises:
        AnnotationError: as ``parse_voc``.
    """
    try:
        decoded = decode_xml(data)
    except LookupError as error:
        raise AnnotationError(path, f"not readable as XML ({error}): save it as UTF-8") from error
    root, lines = _parse(path, data if decoded is None else decoded.text)
    if root.tag != "annotation":
        raise AnnotationError(path, f"the root is <{root.tag[:40]}>, not <annotation>: not a Pascal VOC file")
    notices = []
    if decoded is not None and decoded.broken is not None:
        notices.append(Notice("encoding", f"is not wholly in {decoded.broken}: what could not be read is left out"))
    found = list(_find_objects(root))
    objects, boxless = [], []
    for element in found:
        if element.tag == "object":
            item = _read_object(path, element, lines[element])
            if isinstance(item, VocObject):
                objects.append(item)
            else:
                boxless.append(item)
    if boxless and not objects:
        raise AnnotationError(path, f"{boxless[0].detail}: give it one or remove it", boxless[0].line)
    notices += boxless
    astray = [
        Notice("astray", f"<{one.tag}> outside of any <object>", lines[one]) for one in found if one.tag in _BOXES
    ]
    if astray and not objects:
        way = "put it into an <object> with a <name>, or remove it"
        raise AnnotationError(path, f"{astray[0].detail}, so this is no photo without faces: {way}", astray[0].line)
    size = root.find("size")
    stated = None if size is None else make_size(size.findtext("width"), size.findtext("height"))
    return VocAnnotation(
        path, make_filename(path, root.findtext("filename")), stated, tuple(objects), tuple(notices + astray)
    )


def make_size(width_text: str | None, height_text: str | None) -> tuple[int, int] | None:
    """Return the size that two texts state; None where it can be no picture's."""
    width, height = number(width_text), number(height_text)
    low, high = _SIDES
    if not (low <= width <= high and low <= height <= high):  # NaN neither
        return None
    return int(width), int(height)


def make_filename(path: Path, text: str | None) -> str | None:
    """Return the text of ``<filename>`` without blanks at its ends; None where nothing is left.

    Raises:
        AnnotationError: it is too long for any name.
    """
    text = (text or "").strip()
    if len(text) > MAX_NAME:
        raise AnnotationError(path, f"<filename> has {len(text):,} characters")
    return text or None


def check_name(path: Path, text: str | None, line: int) -> str:
    """Return the text of an object's ``<name>`` without blanks at its ends.

    Raises:
        AnnotationError: there is none, or it is too long for any name.
    """
    name = (text or "").strip()
    if not name:
        raise AnnotationError(path, "object without <name>", line)
    if len(name) > MAX_NAME:
        raise AnnotationError(path, f"<name> has {len(name):,} characters", line)
    return name


def _parse(path: Path, text: str | bytes) -> tuple[Element, dict[Element, int]]:
    builder = _Builder(path)
    parser = builder.parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    try:
        parser.feed(text)
        return parser.close(), builder.lines
    except DefusedXmlException as error:
        reason = "declares a DTD or entities, which annotations never need: remove them"
        raise AnnotationError(path, reason) from error
    except ParseError as error:
        reason = f"not well-formed XML ({str(error).partition(':')[0]}): mend or remove it"
        raise AnnotationError(path, reason, error.position[0]) from error
    except (LookupError, ValueError) as error:  # an encoding that expat does not know, or half a surrogate
        raise AnnotationError(path, f"not readable as XML ({error}): save it as UTF-8") from error
    finally:
        builder.parser = None  # parser and builder hold each other


def _find_objects(element: Element) -> Iterator[Element]:
    """Yield every object at any depth, and every box that is in none."""
    for child in element:
        if (
            child.tag == "object" and (child.find("name") is not None or child.find(".//object") is None)
        ) or child.tag in _BOXES:
            yield child
        else:
            yield from _find_objects(child)


def _read_object(path: Path, element: Element, line: int) -> VocObject | Notice:
    """Return an object, or the notice that it has no box."""
    name = check_name(path, element.findtext("name"), line)
    try:
        found = find_box(element)
    except ValueError as error:
        raise AnnotationError(path, f"object {name!r}: {error}", line) from error
    if found is None:
        return Notice("boxless", f"object {name!r} without <bndbox> or polygon", line)
    return VocObject(name, found.box, line, _is_set(element.findtext("difficult")), found.outline)


def _is_set(text: str | None) -> bool:
    text = (text or "").strip().lower()
    return text in ("true", "yes") or number(text) > 0
