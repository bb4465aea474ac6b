"""What a caller may name a file or folder by."""

from __future__ import annotations

import os
from typing import TypeAlias

#: Text, a ``Path``, or any object with ``__fspath__``: ``os.DirEntry``, ``py.path.local``, …
AnyPath: TypeAlias = str | os.PathLike[str]
