"""Reading one Pascal VOC annotation file, safely: no entities, no DTD, nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from maskdet.datasets.voc_plain import read_plain
from maskdet.errors import AnnotationError

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class VocObject:
    """One ``<object>`` as written.

    Attributes:
        name: the class name, blanks at its ends removed.
        box: xmin, ymin, xmax, ymax in pixels, unchecked except for being finite numbers.
        line: where the object starts in its file, 1-based.
    """

    name: str
    box: tuple[float, float, float, float]
    line: int


@dataclass(frozen=True, slots=True)
class VocAnnotation:
    """One annotation file.

    Attributes:
        path: the XML file.
        filename: the text of ``<filename>``; None where it is missing or empty.
        size: width, height in pixels from ``<size>``; None where it is missing or not two positive numbers.
        objects: the boxes in the file's order; empty for a background picture.
    """

    path: Path
    filename: str | None
    size: tuple[int, int] | None
    objects: tuple[VocObject, ...]


class _LineKeeper(TreeBuilder):
    """A tree builder that remembers the line on which each ``<object>`` starts."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Element, int] = {}
        self.parser: DefusedXMLParser | None = None

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        element = super().start(tag, attrs)
        if tag == "object" and self.parser is not None:
            self.lines[element] = self.parser.parser.CurrentLineNumber
        return element


def parse_voc(path: Path) -> VocAnnotation:
    """Read one annotation file.

    Args:
        path: an XML file whose root is ``<annotation>``.

    Raises:
        AnnotationError: the file cannot be read, is not XML, declares entities or a DTD, is no annotation, or has an
            object without a name or without four finite numbers. The message carries the line.
    """
    try:
        with path.open("rb", buffering=0) as file:
            data = file.read()
    except OSError as error:
        raise AnnotationError(path, f"cannot be read: {error.strerror}") from error
    plain = read_plain(data)
    if plain is None:
        return read_tree(path, data)
    objects = tuple(
        [
            _make_object(path, item.line, item.name, [item.corners[corner] for corner in _CORNERS])
            for item in plain.objects
        ]
    )
    return VocAnnotation(path, (plain.filename or "").strip() or None, _make_size(plain.width, plain.height), objects)


def read_tree(path: Path, data: bytes) -> VocAnnotation:
    """Read an annotation from its bytes with an XML parser, as ``parse_voc`` does where it knows no quicker way."""
    root, lines = _parse_tree(path, data)
    if root.tag != "annotation":
        raise AnnotationError(path, f"the root is <{root.tag}>, not <annotation>: not a Pascal VOC file")
    objects = tuple(_read_object(path, element, lines[element]) for element in root.findall("object"))
    size = root.find("size")
    found = None if size is None else _make_size(size.findtext("width"), size.findtext("height"))
    return VocAnnotation(path, (root.findtext("filename") or "").strip() or None, found, objects)


def _parse_tree(path: Path, data: bytes) -> tuple[Element, dict[Element, int]]:
    keeper = _LineKeeper()
    parser = keeper.parser = DefusedXMLParser(target=keeper, forbid_dtd=True)
    try:
        parser.feed(data)
        return parser.close(), keeper.lines
    except DefusedXmlException as error:
        reason = "declares a DTD or entities, which annotations never need: remove them"
        raise AnnotationError(path, reason) from error
    except ParseError as error:
        reason = f"not well-formed XML ({str(error).partition(':')[0]}): mend or remove it"
        raise AnnotationError(path, reason, error.position[0]) from error
    except (LookupError, ValueError) as error:  # an encoding that Python or expat does not know
        raise AnnotationError(path, f"not readable as XML ({error}): save it as UTF-8") from error
    finally:
        keeper.parser = None  # parser and keeper hold each other


def _read_object(path: Path, element: Element, line: int) -> VocObject:
    box = element.find("bndbox")
    texts = None if box is None else [box.findtext(corner) for corner in _CORNERS]
    return _make_object(path, line, element.findtext("name"), texts)


def _make_object(path: Path, line: int, name: str | None, texts: Sequence[str | None] | None) -> VocObject:
    """Check an object's texts: its name, and its four corners where it has a box."""
    name = (name or "").strip()
    if not name:
        raise AnnotationError(path, "object without <name>", line)
    if texts is None:
        raise AnnotationError(path, f"object {name!r} without <bndbox>", line)
    x1, y1, x2, y2 = values = [_number(text) for text in texts]
    if not all(map(math.isfinite, values)):
        wrong = ", ".join(f"<{corner}>" for corner, value in zip(_CORNERS, values, strict=True) if math.isnan(value))
        raise AnnotationError(path, f"object {name!r}: {wrong or 'a corner'} is no finite number", line)
    return VocObject(name, (x1, y1, x2, y2), line)


def _number(text: str | None) -> float:
    """Return the number in an element's text; NaN where there is none, so that one check finds every fault."""
    try:
        return float(text or "")
    except ValueError:
        return math.nan


def _make_size(width_text: str | None, height_text: str | None) -> tuple[int, int] | None:
    width, height = _number(width_text), _number(height_text)
    if not (math.isfinite(width) and math.isfinite(height)) or width < 1 or height < 1:
        return None
    return int(width), int(height)
