"""What model files say of themselves as text, read within limits: names, size and stride are a stranger's words."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Final

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
    """Return the class names of a model file, in order.

    Args:
        text: a Python or JSON dictionary from 0 on, or a list, of names, as ultralytics writes it.

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
    """Return height and width of a network's input in pixels: ``"640"``, ``"[480, 640]"``.

    Args:
        text: as ultralytics writes it.
        smallest: side that there can be.

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
