"""A file that says which one it is when it cannot be written, and says so once."""

from __future__ import annotations

import io
import os
from typing import Any

from maskdet.errors import SourceError


class NamedFile(io.FileIO):
    """A file to write: its first failure is an error that names it, and what comes after is dropped without a word.

    So the buffers above it can be closed without saying it again, and no half line is followed by a whole one.
    """

    def __init__(self, file: str | os.PathLike[str] | int, named: str) -> None:
        """Open ``file`` anew, or use an open descriptor, which stays open; messages call it ``named``.

        Raises:
            OSError: it cannot be opened.
        """
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
