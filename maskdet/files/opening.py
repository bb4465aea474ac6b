"""Opening files: reading without waiting for a pipe that nobody writes to, writing with errors that name the file."""

from __future__ import annotations

import errno
import io
import os
import stat
from io import FileIO
from pathlib import Path
from typing import Any, Final

from maskdet.errors import SourceError

#: What a path may be that is no file.
_OTHERS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)

#: Opening a pipe returns at once with it; files do not know it.
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)


def status(path: str | Path) -> os.stat_result | None:
    """Return what is at a path, None where nothing is.

    Raises:
        SourceError: it cannot be told, for want of rights for instance.
    """
    try:
        return os.stat(path)  # noqa: PTH116 (a str stays one)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:  # a name with a zero byte is none
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise SourceError(path, f"cannot be read ({error.strerror})") from error


def open_file(path: Path) -> FileIO:
    """Open a regular file for reading, without a buffer.

    Raises:
        OSError: it is not there or may not be read.
        SourceError: it is no regular file.
    """
    file = open_without_waiting(path)
    if not stat.S_ISREG(mode := os.fstat(file.fileno()).st_mode):
        file.close()
        raise SourceError(path, f"not a file, but {what_it_is(mode)}")
    return file


def open_without_waiting(path: Path) -> FileIO:
    """Open whatever is at a path for reading, without a buffer; a pipe gives None where nothing is in it yet.

    Raises:
        OSError: it is not there or may not be read.
        SourceError: it is something that cannot be opened.
    """
    try:
        return FileIO(path, opener=lambda name, flags: os.open(name, flags | _AT_ONCE))
    except ValueError as error:  # a name that no file can have
        raise SourceError(path, f"cannot be read ({error})") from error
    except OSError as error:
        if path.is_socket():
            raise SourceError(path, "not a file, but a socket") from error
        raise


def what_it_is(mode: int) -> str:
    """Return what something is that is no regular file.

    >>> what_it_is(stat.S_IFIFO | 0o644)
    'a pipe'
    """
    return next((name for test, name in _OTHERS if test(mode)), "something else")


class NamedFile(io.FileIO):
    """A file to write: its first failure is an error that names it, and what comes after is dropped without a word.

    So the buffers above it can be closed without saying it again, and no half line is followed by a whole one.
    """

    def __init__(self, file: str | os.PathLike[str] | int, named: str) -> None:
        """Open ``file`` anew, or use an open descriptor, which stays open; messages call it ``named``."""
        super().__init__(file, "w", closefd=not isinstance(file, int))
        self._named = named
        self._lost = False

    def write(self, data: Any, /) -> int:
        """Write bytes.

        Raises:
            BrokenPipeError: the reader has left.
            SourceError: they cannot be written.
        """
        if self._lost:
            return len(data)
        try:
            # A terminal or pipe that another program has set not to block takes nothing when it is full.
            while (written := super().write(data)) is None:
                import select

                select.select([], [self], [])
        except BrokenPipeError:
            self._lost = True
            raise
        except OSError as error:
            self._lost = True
            raise SourceError(self._named, f"cannot be written ({error.strerror})") from error
        return written
