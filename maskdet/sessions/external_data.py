"""Numbers that an ONNX file keeps in other files: only beside it, never elsewhere."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from maskdet.errors import WeightsError

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
