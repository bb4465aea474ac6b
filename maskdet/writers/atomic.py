"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from maskdet.errors import SourceError

#: How much of the target's name a hidden name holds, in bytes.
_STEM_BYTES: Final = 120


def create_beside(target: Path, *, suffix: str = "") -> tuple[int, Path]:
    """Create an empty, hidden file beside ``target`` that is to take its name once it is whole.

    It has the rights that any new file gets, from the start: reading the process's umask means to change it, and what
    other threads create in that moment may be written by everybody.

    Args:
        target: the final name; its folder is made where it is missing.
        suffix: ending of the hidden name, for encoders that go by it.

    Returns:
        An open file descriptor, and the path.

    Raises:
        OSError: the folder cannot be made or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    stem = target.name.removesuffix(suffix) if suffix else target.name
    # The target's name may be as long as a name can be, this one is longer: it need not hold all of it.
    stem = os.fsencode(stem)[:_STEM_BYTES].decode(errors="ignore") if len(stem) > _STEM_BYTES // 4 else stem
    while True:
        path = target.parent / f".{stem}.{secrets.token_hex(4)}{suffix}"
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), path
        except FileExistsError:
            continue


def write_bytes(path: Path, data: bytes) -> Path:
    """Write ``data`` beside ``path``, then rename: a reader never sees half a file.

    Raises:
        SourceError: the folder cannot be made or written.
    """
    temporary: Path | None = None
    try:
        handle, temporary = create_beside(path)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise SourceError(path, f"cannot be written ({error.strerror})") from error
    return path
