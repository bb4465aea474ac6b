"""Opening files from outside without waiting: a pipe that nobody writes to would hold a plain ``open`` for ever."""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path
from typing import Final

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
