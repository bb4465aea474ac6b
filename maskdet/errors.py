"""Every error that maskdet raises on purpose.

::

    MaskdetError
    ├── SourceError        a picture, folder or other source that cannot be read
    ├── AnnotationError    an annotation file that cannot be used as it stands
    ├── DatasetError       a data set whose layout, split or target is wrong
    ├── WeightsError       a model file that is missing, damaged or not maskdet's
    ├── DeviceError        a device that is unknown or not in this machine
    └── MissingExtraError  a feature whose optional packages are not installed

Each message is one line that names the file or device concerned and the way out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from maskdet.printable import printable, shortened


class MaskdetError(Exception):
    """Base of all errors raised on purpose; its text is one line meant for people."""

    def __str__(self) -> str:
        """Return the line, whatever the names in it hold; the attributes keep them as they are."""
        return printable(super().__str__())

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the error as it stands: an exception is otherwise made again from its text alone."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[MaskdetError], args: tuple[Any, ...], attributes: dict[str, Any]) -> MaskdetError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class _FileError(MaskdetError):
    """An error about one file or folder, shown as ``path: reason``, or the reason alone where the path is empty."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        self.path = os.fsdecode(path)
        self.reason = reason
        super().__init__(f"{shortened(self.path)}: {reason}" if self.path else reason)


class SourceError(_FileError):
    """A source that cannot be read or decoded.

    Attributes:
        results: where ``predict`` raised it without ``stream``: the ``MaskResult`` of all that came before.
    """

    results: Sequence[Any] = ()  # results know of errors, so that errors cannot know of results


class AnnotationError(_FileError):
    """An annotation that cannot be used; ``line`` is its line in the file where known (1-based)."""

    def __init__(self, path: str | os.PathLike[str], reason: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(path if line is None else f"{path}:{line}", reason)


class DatasetError(_FileError):
    """A data set whose layout, split or target folder is wrong."""


class WeightsError(_FileError):
    """A model file that is missing, damaged, or not a mask detector."""


class DeviceError(MaskdetError):
    """A device that is unknown, not in this machine, or that a package is missing for."""


class MissingExtraError(MaskdetError):
    """A feature needs an optional dependency group that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs more packages: pip install 'maskdet[{extra}]'")


def first_line(error: BaseException) -> str:
    """Return the first line of another library's error, at most 120 characters, or its kind where it says nothing.

    >>> first_line(RuntimeError(" no such node"))
    'no such node'
    """
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
