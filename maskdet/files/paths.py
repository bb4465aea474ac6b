"""Names: endings of pictures and videos, where a path leads, and the folder that is ours by its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypeAlias

#: Endings taken from a folder.
IMAGE_SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm"}
    | {".tif", ".tiff", ".webp"}
)

#: Endings that pillow-heif adds where it is installed.
HEIF_SUFFIXES: Final = frozenset({".heic", ".heics", ".heif", ".heifs", ".hif"})

#: Endings of pictures that are not read.
# fmt: off
UNREAD_SUFFIXES: Final = frozenset(
    {  # raw photos
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos",
        ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    }
    | {  # JPEG 2000, XL and XR, HEVC's sisters, high dynamic range, layers
        ".avci", ".avcs", ".exr", ".hdr", ".j2c", ".j2k", ".jp2", ".jpc", ".jpf", ".jpm", ".jpx", ".jxl", ".jxr",
        ".pcx", ".pfm", ".psb", ".psd", ".ras", ".sr", ".tga", ".wdp", ".xcf",
    }
)


#: Endings taken for a video in a folder.
VIDEO_SUFFIXES: Final = frozenset(
    {
        *(".3g2", ".3gp", ".asf", ".avi", ".dav", ".f4v", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg"),
        *(".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"),
        *(".264", ".265", ".h264", ".h265", ".hevc", ".mjpeg", ".mjpg"),  # without a container
    }
)


#: Text, a ``Path``, or any object with ``__fspath__``: ``os.DirEntry``, ``py.path.local``, …
AnyPath: TypeAlias = str | os.PathLike[str]

#: Where annotated pictures and videos go when nobody names a folder; no search ever looks into one.
OWN_FOLDER: Final = "maskdet-out"


def real_path(path: AnyPath) -> Path:
    """Return the absolute path with links followed as far as they lead.

    ``Path.resolve`` raises ``RuntimeError`` for a link that leads back to itself, before Python 3.13; here it stays.
    """
    return Path(os.path.realpath(path))
