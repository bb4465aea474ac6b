"""Sources: whatever a caller names, as a stream of pictures with their origin.

A source that cannot be read yields its error in its place, so that one bad file never costs the others.
"""

from __future__ import annotations

from maskdet.sources.files import PictureFile, VideoFile, find_files
from maskdet.sources.memory import from_memory
from maskdet.sources.picture import Clip, Missed, Picture, Source
from maskdet.sources.reader import read
from maskdet.sources.resolve import is_many, is_single, pictures, resolve

__all__ = [
    "Clip",
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
