"""Read YAML of unknown origin: plain values only, and limits on size, nesting and what aliases stand for.

PyYAML's safe loader builds no objects, but it follows any nesting, writes out any alias, and lets the errors of the
values it makes pass (``ValueError`` for the 99th day of a month, ``KeyError`` for ``!!bool maybe``, …). Here every one
of these is a ``YamlError`` with a reason of one line, found before the values are made.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

#: A data set of a million photos is listed in a text file, not in YAML; a whole mebibyte takes a second to read.
MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 32
#: Values in all, with each alias counted as what it stands for.
MAX_VALUES: Final = 200_000
#: Characters of a number, date or other value that is converted: long ones take quadratic time.
MAX_SCALAR: Final = 4096

#: What YAML does not allow in a text; ultralytics reads on without it, and so do names with an emoji's joiner.
_UNPRINTABLE: Final = re.compile(r"[^\x09\x0A\x0D\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\U00010000-\U0010ffff]+")

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class YamlError(ValueError):
    """A text that is no YAML, or more of it than is read; the message is one line without the file."""


def read_yaml(path: Path) -> Any:
    """Read a YAML file: UTF-8, or UTF-16 with its mark; bytes that are neither are left out, as ultralytics does.

    Raises:
        OSError: the file cannot be read.
        YamlError: it is no ordinary file, no YAML, or beyond a limit.
    """
    if path.exists() and not path.is_file():  # a named pipe would be waited for
        raise YamlError("is no file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise YamlError(f"is larger than {MAX_BYTES >> 20} MiB")
    return load_yaml(data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8", errors="ignore"))


def load_yaml(text: str) -> Any:
    """Make the values that a YAML text describes.

    Raises:
        YamlError: no YAML, a value that YAML cannot make, or beyond a limit.

    >>> load_yaml("names: [a, b]")
    {'names': ['a', 'b']}
    >>> load_yaml("made: 2001-99-99")
    Traceback (most recent call last):
    maskdet.files.safe_yaml.YamlError: cannot be read as YAML (month must be in 1..12)
    """
    if len(text) > MAX_BYTES:
        raise YamlError(f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        return _load(text)
    except YamlError:
        clean = _UNPRINTABLE.sub("", text)
        if clean == text:
            raise
        return _load(clean)


def _load(text: str) -> Any:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check(yaml.parse(text, Loader=loader))
        return yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        where = "" if error.problem_mark is None else f"line {error.problem_mark.line + 1}: "
        raise _unreadable(where + (error.problem or "wrong syntax")) from error
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError) as error:
        if isinstance(error, YamlError):
            raise
        # What PyYAML's converters raise, of values such as dates, numbers and !!bool, !!timestamp with nonsense.
        raise _unreadable(str(error) if type(error) is ValueError else type(error).__name__) from error


def _unreadable(reason: str) -> YamlError:
    line = " ".join(reason.split()).encode("unicode_escape").decode("ascii")
    return YamlError(f"cannot be read as YAML ({line[:200]})")


def _check(events: Iterator[Any]) -> None:
    """Refuse what stands for too much, from the events of the parser, which is not recursive."""
    import yaml

    sizes: dict[str, int] = {}  # anchor -> values that an alias to it stands for
    open_ones: list[tuple[str | None, int]] = []  # anchor and values before it, of each open list or mapping
    values = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            open_ones.append((event.anchor, values))
            values += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_ones.pop()
            if anchor is not None:
                sizes[anchor] = values - before
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise YamlError(f"cannot be read as YAML (*{event.anchor} stands for nothing whole)")
            values += sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            values += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
            converted = not event.style or event.tag is not None
            if converted and len(event.value) > MAX_SCALAR:
                raise YamlError(f"holds a value of more than {MAX_SCALAR} characters")
        if len(open_ones) > MAX_DEPTH:
            raise YamlError(f"is nested more than {MAX_DEPTH} deep")
        if values > MAX_VALUES:
            raise YamlError(f"stands for more than {MAX_VALUES:,} values, its aliases written out")
