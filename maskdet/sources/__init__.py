"""Sources: whatever a caller names, as a stream of pictures with their origin.

A source that cannot be read yields its error in its place, so that one bad file never costs the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskdet.sources.files import PictureFile, VideoFile, find_files
from maskdet.sources.memory import from_memory
from maskdet.sources.picture import Clip, Missed, Picture, Source
from maskdet.sources.reader import read
from maskdet.sources.resolve import is_many, is_single, pictures, resolve

if TYPE_CHECKING:
    from maskdet.sources.remote import LiveStream

__all__ = [
    "Clip",
    "LiveStream",
    "Missed",
    "Picture",
    "PictureFile",
    "Source",
    "VideoFile",
    "find_files",
    "from_memory",
    "is_many",
    "is_single",
    "pictures",
    "read",
    "resolve",
]


def __getattr__(name: str) -> Any:
    if name != "LiveStream":
        raise AttributeError(f"module 'maskdet.sources' has no attribute {name!r}")
    from maskdet.sources.remote import LiveStream  # which files do without

    return LiveStream
