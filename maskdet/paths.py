"""What a caller may name a file or folder by, where that leads, and the folder that is ours by its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypeAlias

#: Text, a ``Path``, or any object with ``__fspath__``: ``os.DirEntry``, ``py.path.local``, …
AnyPath: TypeAlias = str | os.PathLike[str]

#: Where annotated pictures and videos go when nobody names a folder; no search ever looks into one.
OWN_FOLDER: Final = "maskdet-out"


def real_path(path: AnyPath) -> Path:
    """Return the absolute path with links followed as far as they lead.

    ``Path.resolve`` raises ``RuntimeError`` for a link that leads back to itself, before Python 3.13; here it stays.
    """
    return Path(os.path.realpath(path))
