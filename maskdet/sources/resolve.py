"""From what a caller names to the sources that read it."""

from __future__ import annotations

import glob
import os
import re
import stat
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeGuard

from maskdet.errors import SourceError
from maskdet.files.opening import status
from maskdet.files.paths import VIDEO_SUFFIXES
from maskdet.sources.address import SCHEMES, local_path, without_password
from maskdet.sources.file_content import file_kind
from maskdet.sources.files import LIST_SUFFIXES, search
from maskdet.sources.memory import Memory, StandardInput, holds_one_picture
from maskdet.sources.picture import Picture, Source

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def resolve(source: Any, own: Collection[Path] = ()) -> Sequence[Source]:
    """Return the sources that one thing names; nothing is opened yet.

    Raises:
        SourceError: a file, folder or pattern where there is nothing.
        TypeError: when read, for an object of any other type.
    """
    if isinstance(source, Source):
        return [source]
    if isinstance(source, os.PathLike):
        return search(os.fsdecode(source), own)
    if isinstance(source, str) and (path := local_path(source)) is not None:
        return search(path, own)
    address = _address(source)
    if address is not None:
        if isinstance(address, str) and (scheme := address.partition(":")[0].lower()) not in SCHEMES:
            raise SourceError(without_password(address), f"addresses of the kind {scheme}: are not read")
        return [_remote(address)]
    if not isinstance(source, str):
        return [Memory(source)]
    return [StandardInput()] if source == "-" else search(source, own)


def _remote(address: int | str) -> Source:
    if _is_web(address):
        from maskdet.sources.remote import WebAddress

        return WebAddress(address)
    from maskdet.sources.remote import LiveStream

    return LiveStream(address)


def pictures(source: Any, *, stride: int = 1, stop: threading.Event | None = None) -> Iterator[Picture | SourceError]:
    """Yield every picture of a source, or the error in its place."""
    if is_collection(source):
        for item in source:
            yield from pictures(item, stride=stride, stop=stop)
        return
    stop = stop or threading.Event()
    try:
        for found in resolve(source):
            try:
                yield from found.read(stride=stride, stop=stop)
            except SourceError as error:
                yield error
    except SourceError as error:
        yield error


def is_collection(source: Any) -> bool:
    """Whether a source is an iterable of sources."""
    return isinstance(source, Iterable) and not (isinstance(source, (str, os.PathLike)) or holds_one_picture(source))


def is_single(source: Any) -> bool:
    """Whether a source names one picture, so that one result, not a list, is the natural answer.

    A web address counts as one picture; it turns out to be a stream only when it is opened.
    """
    if is_collection(source) or (isinstance(source, Source) and source.endless):
        return False
    source = _without_file_scheme(source)
    address = _address(source)
    if address is not None:
        return _is_web(address)
    if isinstance(source, (str, os.PathLike)):
        path = Path(os.fsdecode(source))
        if path.suffix.lower() in VIDEO_SUFFIXES | LIST_SUFFIXES:
            kind = file_kind(path)
            return kind is not None and kind.family == "picture"
        try:
            told = status(path)
        except SourceError:  # it is there, whatever it is
            return True
        return not glob.has_magic(str(path)) if told is None else not stat.S_ISDIR(told.st_mode)
    return True


def is_many(source: Any) -> bool:
    """Whether a source names many pictures that all are there already: not one, and no camera or stream."""
    source = _without_file_scheme(source)
    return not (is_single(source) or _address(source) is not None or (isinstance(source, Source) and source.endless))


def _without_file_scheme(source: Any) -> Any:
    try:
        return (isinstance(source, str) and local_path(source)) or source
    except SourceError:  # told when it is read
        return source


def _address(source: Any) -> int | str | None:
    """Return a source as the index of a webcam or as a URL, or None where it is neither."""
    if isinstance(source, int) and not isinstance(source, bool):
        return source
    if isinstance(source, str):
        if _URL.match(source):
            return source
        # ASCII only: int() would take other scripts' digits too. A file of such a name is meant where there is one.
        if source.isascii() and source.isdigit() and len(source) < 10 and not Path(source).exists():
            return int(source)
    return None


def _is_web(address: int | str) -> TypeGuard[str]:
    return isinstance(address, str) and address.lower().startswith(("http://", "https://"))
