"""Reading one Pascal VOC annotation file, safely: no entities, no DTD, nothing fetched."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from maskdet.errors import AnnotationError

#: Names of child elements, and what is read in each.
_Level: TypeAlias = dict[str, "_Level"]

_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")

#: What is read. Every level names the children that count: ``_TEXT`` where it is their text, else what is read in them.
_TEXT: Final[_Level] = {}
_OTHER: Final[_Level] = {}
_BOX: Final[_Level] = dict.fromkeys(_CORNERS, _TEXT)
_OBJECT: Final[_Level] = {"name": _TEXT, "bndbox": _BOX}
_SIZE: Final[_Level] = {"width": _TEXT, "height": _TEXT}
_FILE: Final[_Level] = {"annotation": {"filename": _TEXT, "size": _SIZE, "object": _OBJECT}}


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


class _Reader:
    """Keeps what counts while expat goes through a file: nothing is built of what nobody asks for.

    Attributes:
        root: the name of the root element, None before it was seen.
        texts: of the whole file by element: ``filename``, ``width``, ``height``; the first of each, as in ElementTree's
            ``find``. Blank for an element that was entered.
        objects: of each ``<object>`` the line where it starts, and its texts: ``name`` and the corners.
    """

    __slots__ = ("objects", "root", "texts")

    def __init__(self) -> None:
        self.root: str | None = None
        self.texts: dict[str, str] = {}
        self.objects: list[tuple[int, dict[str, str]]] = []

    def attach(self, expat: Any) -> None:
        """Let an expat parser call us."""
        level, above = _FILE, list[_Level]()
        whole, texts, objects = self.texts, self.texts, self.objects
        pieces: list[str] = []
        push, pop, forget = above.append, above.pop, pieces.clear

        def start(tag: str, _attributes: list[str]) -> None:
            nonlocal level, texts
            push(level)
            inner = level.get(tag, _OTHER)
            if inner is _TEXT:
                forget()
            elif inner is _OBJECT:
                texts = {}
                objects.append((expat.CurrentLineNumber, texts))
            elif inner is _OTHER:
                if level is _TEXT:  # the text that counts is the one in front of the first child
                    expat.CharacterDataHandler = None
                elif level is _FILE:
                    self.root = tag
            elif inner is _BOX or inner is _SIZE:
                if tag in texts:
                    inner = _OTHER
                else:
                    texts[tag] = ""
            else:
                self.root = tag
            level = inner

        def end(tag: str) -> None:
            nonlocal level, texts
            if level is _TEXT:
                if tag not in texts:
                    texts[tag] = "".join(pieces)
                expat.CharacterDataHandler = pieces.append
            elif level is _OBJECT:
                texts = whole
            level = pop()

        expat.StartElementHandler, expat.EndElementHandler = start, end
        expat.CharacterDataHandler = pieces.append
        expat.ordered_attributes = True  # a list is made faster than a dictionary, and nobody reads it
        expat.DefaultHandlerExpand = None


def parse_voc(path: Path) -> VocAnnotation:
    """Read one annotation file.

    Args:
        path: an XML file whose root is ``<annotation>``.

    Raises:
        AnnotationError: the file cannot be read, is not XML, declares entities or a DTD, is no annotation, or has an
            object without a name or without four finite numbers. The message carries the line.
    """
    reader = _read(path)
    if reader.root != "annotation":
        # Expat gives a namespace without the bracket in front that ElementTree writes.
        root = f"{{{reader.root}" if "}" in str(reader.root) else reader.root
        raise AnnotationError(path, f"the root is <{root}>, not <annotation>: not a Pascal VOC file")
    objects = tuple([_read_object(path, line, texts) for line, texts in reader.objects])
    return VocAnnotation(path, reader.texts.get("filename", "").strip() or None, _read_size(reader.texts), objects)


class _NoTree:
    """The target of a parser whose events go elsewhere."""


def _read(path: Path) -> _Reader:
    reader = _Reader()
    parser = DefusedXMLParser(target=_NoTree(), forbid_dtd=True)
    expat = parser.parser
    reader.attach(expat)
    try:
        with path.open("rb", buffering=0) as file:
            parser.feed(file.read())
        parser.close()
    except OSError as error:
        raise AnnotationError(path, f"cannot be read: {error.strerror}") from error
    except DefusedXmlException as error:
        reason = "declares a DTD or entities, which annotations never need: remove them"
        raise AnnotationError(path, reason) from error
    except ParseError as error:
        reason = f"not well-formed XML ({str(error).partition(':')[0]}): mend or remove it"
        raise AnnotationError(path, reason, error.position[0]) from error
    except (LookupError, ValueError) as error:  # an encoding that Python or expat does not know
        raise AnnotationError(path, f"not readable as XML ({error}): save it as UTF-8") from error
    finally:
        expat.StartElementHandler = expat.EndElementHandler = expat.CharacterDataHandler = None  # they hold the parser
    return reader


def _read_object(path: Path, line: int, texts: dict[str, str]) -> VocObject:
    name = texts.get("name", "").strip()
    if not name:
        raise AnnotationError(path, "object without <name>", line)
    if "bndbox" not in texts:
        raise AnnotationError(path, f"object {name!r} without <bndbox>", line)
    x1, y1, x2, y2 = values = [_read_number(texts, corner) for corner in _CORNERS]
    if not all(map(math.isfinite, values)):
        wrong = ", ".join(f"<{corner}>" for corner, value in zip(_CORNERS, values, strict=True) if math.isnan(value))
        raise AnnotationError(path, f"object {name!r}: {wrong or 'a corner'} is no finite number", line)
    return VocObject(name, (x1, y1, x2, y2), line)


def _read_number(texts: dict[str, str], tag: str) -> float:
    """Return the number in an element; NaN where there is none, so that one check finds every fault."""
    try:
        return float(texts.get(tag, ""))
    except ValueError:
        return math.nan


def _read_size(texts: dict[str, str]) -> tuple[int, int] | None:
    width, height = _read_number(texts, "width"), _read_number(texts, "height")
    if not (math.isfinite(width) and math.isfinite(height)) or width < 1 or height < 1:
        return None
    return int(width), int(height)
