"""``maskdet/1`` as a line of text, and the way back: from one object, or from a file of JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Final

from maskdet.classes import CLASS_NAMES
from maskdet.errors import SourceError
from maskdet.files.paths import AnyPath
from maskdet.results import SCHEMA, Face, ImageInfo, MaskResult, ModelInfo
from maskdet.results.json_members import MAX_INTEGER, Members, parse, show, shown

#: Bytes of one line at most: some 50,000 faces. A file without line breaks must not fill the memory.
MAX_LINE_BYTES: Final = 16 * 2**20

#: How every line that we write begins.
_START: Final = json.dumps({"schema": SCHEMA}).removesuffix("}").encode()

#: Pixels that a box may reach over its picture: what other writers' rounding may do.
_ROUNDING: Final = 1.0


def to_line(data: Mapping[str, Any]) -> str:
    """Return JSON without a line break that UTF-8 can carry, letters of all scripts left as they are."""
    text = json.dumps(data, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a file name that is not UTF-8 holds lone surrogates, which only an escape can carry
        return json.dumps(data)
    return text


def to_result(data: Any) -> MaskResult:
    """Build a result from a parsed ``maskdet/1`` object; see ``MaskResult.from_dict``.

    Every member that the schema asks for must be there, in its type and range; others are passed over. ``counts`` and
    ``summary`` are counted anew.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"expected a {SCHEMA} object, got {type(data).__name__}")
    if data.get("schema") != SCHEMA:
        raise ValueError(f"schema {show(data.get('schema'))}: expected {SCHEMA!r}")
    whole = Members(data, "")
    image, model = whole.object("image"), whole.object("model")
    info = ImageInfo(
        None if image.get("path") is None else image.text("path"),
        image.integer("width", low=1),
        image.integer("height", low=1),
        None if image.get("frame") is None else image.integer("frame", low=0),
    )
    # Every class is counted, in order; only older files of the three classes may lack the counts.
    names: tuple[str, ...] = CLASS_NAMES
    if "counts" in whole:
        counts = whole.object("counts")
        names = tuple(counts)
        for name in names:
            counts.integer(name, low=0)
    return MaskResult(
        [_to_face(entry, info, names) for entry in whole.objects("detections")],
        info,
        ModelInfo(model.text("name"), model.integer("imgsz", low=1), model.number("conf", low=0, high=1), names),
        whole.number("time_ms", low=0),
    )


def _to_face(entry: Members, image: ImageInfo, names: tuple[str, ...]) -> Face:
    name, class_id = entry.text("name"), entry.integer("class", low=0)
    if name not in names or names.index(name) != class_id:
        raise ValueError(f"class {class_id} {show(name)}: the classes are {shown(', '.join(names))}")
    edges = entry.object("box")
    x1, x2 = (edges.number(key, low=0, high=image.width + _ROUNDING) for key in ("x1", "x2"))
    y1, y2 = (edges.number(key, low=0, high=image.height + _ROUNDING) for key in ("y1", "y2"))
    if x1 > x2 or y1 > y2:
        raise ValueError(f"box {x1:g}, {y1:g}, {x2:g}, {y2:g} has its corners swapped")
    return Face(
        name,
        class_id,
        entry.number("confidence", low=0, high=1),
        (x1, y1, x2, y2),
        None if entry.get("track_id") is None else entry.integer("track_id", low=-MAX_INTEGER),
        _to_opinion(entry.object("classifier")) if "classifier" in entry else None,
    )


def _to_opinion(entry: Members) -> dict[str, Any]:
    """Return the classifier's answer; classifying alone says nothing of agreement, and older files no probabilities."""
    opinion: dict[str, Any] = {
        "name": entry.text("name"),
        "confidence": entry.number("confidence", low=0, high=1),
    }
    if "probabilities" in entry:
        shares = entry.object("probabilities")
        opinion["probabilities"] = {key: shares.number(key, low=0, high=1) for key in shares}
    if "agrees" in entry:
        opinion["agrees"] = entry.truth("agrees")
    return opinion


def read_results(path: AnyPath) -> Iterator[MaskResult]:
    """Read the JSON Lines that ``maskdet detect --json FILE`` wrote, one result at a time.

    A last line that was cut short, as a killed run may leave it, is passed over.

    Raises:
        SourceError: the file cannot be read, or a line is no ``maskdet/1`` object; the message names the line.
    """
    try:
        file = Path(path).open("rb")  # noqa: SIM115 (closed below)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise SourceError(path, f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    with file:
        for number in count(1):
            try:
                line = file.readline(MAX_LINE_BYTES + 1)
            except OSError as error:
                raise SourceError(path, f"cannot be read ({error.strerror})") from error
            if not line:
                return
            if not line.strip():
                continue
            if number == 1 and line.startswith(b"\x1f\x8b"):
                raise SourceError(path, "compressed with gzip: unpack it first")
            if len(line) > MAX_LINE_BYTES:
                raise SourceError(path, f"line {number}: longer than {MAX_LINE_BYTES // 2**20} MB")
            try:
                result = to_result(parse(line))
            except ValueError as error:
                if _was_cut(line, error):
                    return
                raise SourceError(path, f"line {number}: {_reason(error)}") from error
            yield result


def _was_cut(line: bytes, error: ValueError) -> bool:
    """Whether a line is the beginning of what ``to_line`` writes."""
    unfinished = isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)) and not line.endswith(b"\n")
    return unfinished and (line.startswith(_START) or _START.startswith(line))


def _reason(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 text (byte {error.start})"
    return f"no JSON ({error})" if isinstance(error, json.JSONDecodeError) else str(error)
