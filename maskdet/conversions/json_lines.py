"""``maskdet/1`` as a line of text, and the way back: from one object, or from a file of JSON Lines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maskdet.classes import CLASS_NAMES
from maskdet.errors import SourceError
from maskdet.results import SCHEMA, Face, ImageInfo, MaskResult, ModelInfo


def to_line(data: Mapping[str, Any]) -> str:
    """Return JSON without a line break that UTF-8 can carry, letters of all scripts left as they are."""
    text = json.dumps(data, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a file name that is not UTF-8 holds lone surrogates, which only an escape can carry
        return json.dumps(data)
    return text


def to_result(data: Any) -> MaskResult:
    """Build a result from a parsed ``maskdet/1`` object; see ``MaskResult.from_dict``."""
    if not isinstance(data, Mapping):
        raise ValueError(f"expected a {SCHEMA} object, got {type(data).__name__}")
    if data.get("schema") != SCHEMA:
        raise ValueError(f"schema {data.get('schema')!r}: expected {SCHEMA!r}")
    try:
        image, model = data["image"], data["model"]
        return MaskResult(
            [_to_face(entry) for entry in data["detections"]],
            ImageInfo(image["path"], int(image["width"]), int(image["height"]), image.get("frame")),
            ModelInfo(str(model["name"]), int(model["imgsz"]), float(model["conf"])),
            float(data["time_ms"]),
        )
    except KeyError as error:
        raise ValueError(f"not a whole {SCHEMA} object: {error} is missing") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"not a {SCHEMA} object: a value has the wrong type ({error})") from error


def _to_face(entry: Mapping[str, Any]) -> Face:
    name, class_id = entry["name"], entry["class"]
    if name not in CLASS_NAMES or CLASS_NAMES.index(name) != class_id:
        raise ValueError(f"class {class_id} {name!r}: the classes are {', '.join(CLASS_NAMES)}")
    box = entry["box"]
    x1, y1, x2, y2 = (float(box[edge]) for edge in ("x1", "y1", "x2", "y2"))
    confidence = float(entry["confidence"])
    if not all(math.isfinite(value) for value in (x1, y1, x2, y2, confidence)):
        raise ValueError("a box or confidence is no finite number")
    return Face(name, class_id, confidence, (x1, y1, x2, y2), entry.get("track_id"), entry.get("classifier"))


def read_results(path: str | Path) -> Iterator[MaskResult]:
    """Read the JSON Lines that ``maskdet detect --json FILE`` wrote, one result at a time.

    A last line that was cut short, as a killed run may leave it, is passed over.

    Raises:
        SourceError: the file cannot be read, or a line is no ``maskdet/1`` object; the message names the line.
    """
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    yield to_result(json.loads(line))
                except ValueError as error:
                    if not line.endswith(b"\n"):
                        return
                    raise SourceError(path, f"line {number}: {error}") from error
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})") from error
