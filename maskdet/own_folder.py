"""The folder that is ours by its name."""

from __future__ import annotations

from typing import Final

#: Where annotated pictures and videos go when nobody names a folder; no search ever looks into one.
OWN_FOLDER: Final = "maskdet-out"
