"""Files that appear whole or not at all, under hidden names until then; what a killed run left is removed.

A run holds a lock on each hidden file as long as it works on it, which the system takes away with the process, however
that ends.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from maskdet.errors import SourceError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: How much of the target's name a hidden name holds, in bytes: the target's may be as long as a name can be.
_STEM_BYTES: Final = 120

#: Hidden files of ours, whatever they were to become.
_FILE: Final = r"\..*\.[0-9a-f]{8}\.part(\.\w+)?"

#: Where no lock can tell, what is older than this belongs to no run any more, in seconds.
_DAY: Final = 86400.0

_STARTED: Final = time.time()

#: Folders that this process has looked through.
_swept: set[str] = set()


def hidden_name(name: str, ending: str = ".part") -> str:
    """Return a new hidden name for what is to be called ``name``; ``ending`` begins with ``.part`` or ``.old``.

    >>> import re
    >>> bool(re.fullmatch(r"[.]a[.]jpg[.][0-9a-f]{8}[.]part", hidden_name("a.jpg")))
    True
    """
    return f".{_stem(name)}.{os.urandom(4).hex()}{ending}"


def hold(descriptor: int) -> None:
    """Tell other runs that an open file or folder is being worked on, until it is closed."""
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def hold_folder(folder: Path) -> int | None:
    """Do the same for a folder; return what is to be closed, None where a folder cannot be held."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    hold(descriptor)
    return descriptor


def sweep_files(folder: Path, *, again: bool = False) -> None:
    """Remove hidden files that earlier runs left in a folder; each folder is looked through once.

    Args:
        folder: where they are.
        again: look once more, for what processes of this run left that were killed.
    """
    place = os.path.abspath(folder)  # noqa: PTH100 - a path object does not know its working folder's changes
    if place in _swept and not again:
        return
    _swept.add(place)
    begun = time.time() if again else _STARTED
    for path in _entries(folder, _FILE):
        if not path.is_dir() and is_abandoned(path, begun):
            path.unlink(missing_ok=True)


def sweep_folders(out: Path) -> None:
    """Remove hidden folders that earlier runs left on their way to ``out``; what it held before comes back to it."""
    pattern = rf"\.{re.escape(_stem(out.name))}\.[0-9a-f]{{8}}\.(part|old)"
    for path in filter(is_abandoned, _entries(out.parent, pattern)):
        if path.suffix == ".old" and not os.path.lexists(out):
            path.rename(out)  # it was killed between two names
        else:
            shutil.rmtree(path, ignore_errors=True)


def is_abandoned(path: Path, begun: float = _STARTED) -> bool:
    """Whether a hidden file or folder is older than this run, or than ``begun``, and no run works on it."""
    try:
        age = begun - path.lstat().st_mtime
        if age <= 0:
            return False
        if fcntl is None:
            return age > _DAY
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:  # it has gone, or is nobody's to remove
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return age > _DAY
    finally:
        os.close(descriptor)
    return True


def _entries(folder: Path, pattern: str) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            hidden = [entry for entry in entries if entry.name.startswith(".")]
            return [Path(entry.path) for entry in hidden if re.fullmatch(pattern, entry.name, re.DOTALL)]
    except OSError:  # it is not there, or may not be read
        return []


def _stem(name: str) -> str:
    encoded = os.fsencode(name)
    return name if len(encoded) <= _STEM_BYTES else encoded[:_STEM_BYTES].decode(errors="ignore")


def create_beside(target: Path, *, suffix: str = "") -> tuple[int, Path]:
    """Create an empty, hidden file beside ``target`` that is to take its name once it is whole.

    What a killed run left in that folder, made where it is missing, is removed first. The file has the rights of any
    new one from the start: reading the umask means to change it, for other threads too. ``suffix`` is the ending of the
    hidden name, for encoders that go by it.

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
