"""What model files say of themselves, read within limits: where their numbers lie, names, size and stride."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maskdet.errors import WeightsError

if TYPE_CHECKING:
    import mmap

#: As many classes as any public detector has, and then some; a name is a few words.
MAX_CLASSES: Final = 10_000
MAX_NAME: Final = 200

#: Sides of an input in pixels, and its stride.
SIDES: Final = (32, 8192)
STRIDES: Final = (1, 256)

_TEXT: Final = r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
_ENTRY: Final = re.compile(rf"""\s*(?:(?P<key>['"]?\d{{1,5}}['"]?)\s*:\s*)?(?P<name>{_TEXT})\s*(?:,|\Z)""")
_SIZE: Final = re.compile(r"\s*[\[(]?\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*,?\s*)?[\])]?\s*\Z")


def read_names(text: str) -> tuple[str, ...]:
    """Return the class names of a model file, in order, from a Python or JSON dictionary (from 0 on) or list.

    Raises:
        ValueError: it is something else, a name stands there twice, or there are too many or too long ones.

    >>> read_names("{0: 'with_mask', 1: 'without_mask'}")
    ('with_mask', 'without_mask')
    """
    body = text.strip()
    if len(body) < 2 or body[0] + body[-1] not in {"{}", "[]"} or len(body) > MAX_CLASSES * MAX_NAME:
        raise ValueError("its names are no list of class names")
    found: dict[int, str] = {}
    at, body, keyed = 0, body[1:-1].rstrip(), body[0] == "{"
    while at < len(body):
        entry = _ENTRY.match(body, at)
        if entry is None or (entry["key"] is not None) != keyed or len(found) >= MAX_CLASSES:
            raise ValueError("its names are no list of class names")
        at = entry.end()
        number = int(entry["key"].strip("'\"")) if keyed else len(found)
        name = ast.literal_eval(entry["name"])  # one quoted text
        if number in found:
            raise ValueError(f"class {number} has two names")
        found[number] = name
    return check_names([found[number] for number in sorted(found)] if sorted(found) == list(range(len(found))) else [])


def check_names(names: list[str]) -> tuple[str, ...]:
    """Return names that can be those of a model's classes.

    Raises:
        ValueError: none, too many, an empty, long or repeated one.
    """
    if not 0 < len(names) <= MAX_CLASSES:
        raise ValueError(f"it has {len(names)} classes" if names else "its classes are not numbered from 0 on")
    for name in names:
        if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
            raise ValueError(f"{name[:40]!r} is no class name")
    if len(set(names)) < len(names):
        raise ValueError("two of its classes have the same name")
    return tuple(names)


def read_size(text: str, smallest: int = SIDES[0]) -> tuple[int, int]:
    """Return height and width of a network's input in pixels, written ``640`` or ``[480, 640]``.

    Raises:
        ValueError: it is something else, or not from ``smallest`` to 8192.

    >>> read_size("[480, 640]"), read_size("640")
    ((480, 640), (640, 640))
    """
    found = _SIZE.match(text)
    sides = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not all(smallest <= side <= SIDES[1] for side in sides):
        raise ValueError(f"its size {text[:40]!r} is no whole number from {smallest} to {SIDES[1]}")
    return sides


def read_stride(text: str) -> int:
    """Return a network's stride in pixels.

    Raises:
        ValueError: it is no whole number from 1 to 256.
    """
    if not re.fullmatch(r"\s*\d{1,3}\s*", text) or not STRIDES[0] <= int(text) <= STRIDES[1]:
        raise ValueError(f"its stride {text[:40]!r} is no whole number from {STRIDES[0]} to {STRIDES[1]}")
    return int(text)


def required(metadata: Mapping[str, str], *keys: str, what: str) -> list[str]:
    """Return these entries of a file's metadata; ``what`` calls them together.

    Raises:
        ValueError: one is missing.
    """
    if not all(key in metadata for key in keys):
        raise ValueError(f"the file has no {what}")
    return [metadata[key] for key in keys]


#: Protobuf fields that lead to tensors: model → graph, training info, functions → nodes → attributes → …
_MODEL: Final = {7: "graph", 20: "training", 25: "function"}
_LEADS: Final = {
    "model": _MODEL,
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "tensor": {13: "entry"},
}

#: Graphs in graphs, at most.
_DEPTH: Final = 64


def check_external_data(path: Path) -> None:
    """Refuse an ONNX file that keeps numbers outside its folder, whatever the runtime would make of it.

    Raises:
        WeightsError: a place that leaves the folder, through ``..``, a root or a link; or one that is no file.
    """
    import mmap  # which models that we ship do without

    with path.open("rb") as file:
        if not file.read(1):
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content[4:8] == b"ORTM":
                raise WeightsError(path, "not an ONNX model but ONNX Runtime's own format: give the .onnx")
            # Without the word there is no such place, and most files are done.
            if content.find(b"location") < 0:
                return
            try:
                places = {place.decode("utf-8") for place in _places(content, 0, len(content), "model")}
            except (IndexError, ValueError, RecursionError) as error:
                raise WeightsError(path, "not an ONNX model (damaged)") from error
    folder = path.parent.resolve()
    for place in sorted(places):
        target = (folder / place).resolve()
        if "\\" in place or "*" in place or "\0" in place or not target.is_relative_to(folder):
            raise WeightsError(path, f"keeps its numbers outside its folder, in {place[:80]!r}: put them beside it")
        if not target.is_file():
            raise WeightsError(path, f"keeps its numbers in {place[:80]!r}, and there is no such file beside it")


def _places(content: mmap.mmap, start: int, end: int, kind: str, depth: int = 0) -> Iterator[bytes]:
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    leads = _LEADS[kind]
    for number, first, last in _fields(content, start, end):
        inner = leads.get(number)
        if inner == "entry":
            entry = {field: content[a:b] for field, a, b in _fields(content, first, last)}
            if entry.get(1) == b"location":
                yield entry.get(2, b"")
        elif inner is not None:
            yield from _places(content, first, last, inner, depth + 1)


def _fields(content: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of every field that has a length."""
    at = start
    while at < end:
        tag, at = _varint(content, at)
        wire = tag & 7
        if wire == 2:
            size, at = _varint(content, at)
            if at + size > end:
                raise ValueError("a field reaches beyond its message")
            yield tag >> 3, at, at + size
            at += size
        elif wire == 0:
            _, at = _varint(content, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError("an unknown kind of field")


def _varint(content: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
