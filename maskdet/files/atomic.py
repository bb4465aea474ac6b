"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from maskdet.errors import SourceError
from maskdet.files.leftovers import hidden_name, hold, sweep_files


def create_beside(target: Path, *, suffix: str = "") -> tuple[int, Path]:
    """Create an empty, hidden file beside ``target`` that is to take its name once it is whole.

    What a killed run left in that folder is removed first. The file has the rights that any new one gets, from the
    start: reading the process's umask means to change it, and what other threads create in that moment may be written
    by everybody.

    Args:
        target: the final name; its folder is made where it is missing.
        suffix: ending of the hidden name, for encoders that go by it.

    Returns:
        An open file descriptor, and the path: while it is open, other runs know that it is being worked on.

    Raises:
        OSError: the folder cannot be made or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep_files(target.parent)
    stem = target.name.removesuffix(suffix) if suffix else target.name
    while True:
        path = target.parent / hidden_name(stem, f".part{suffix}")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except FileExistsError:
            continue
        hold(handle)
        return handle, path


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file beside ``path`` that takes its place at the end, and vanishes on any error.

    Raises:
        OSError: it cannot be written.
    """
    handle, temporary = create_beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        temporary.replace(path)
    except BaseException:  # Ctrl-C too
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes) -> Path:
    """Write ``data`` beside ``path``, then rename: a reader never sees half a file.

    Raises:
        SourceError: the folder cannot be made or written.
    """
    try:
        with whole_file(path) as file:
            file.write(data)
    except OSError as error:
        raise SourceError(path, f"cannot be written ({error.strerror})") from error
    return path
