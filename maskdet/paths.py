"""What a caller may name a file or folder by, and where that leads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

#: Text, a ``Path``, or any object with ``__fspath__``: ``os.DirEntry``, ``py.path.local``, …
AnyPath: TypeAlias = str | os.PathLike[str]


def real_path(path: AnyPath) -> Path:
    """Return the absolute path with links followed as far as they lead.

    ``Path.resolve`` raises ``RuntimeError`` for a link that leads back to itself, before Python 3.13; here it stays.
    """
    return Path(os.path.realpath(path))
