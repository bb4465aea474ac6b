"""The names of the files below a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from maskdet.errors import DatasetError

#: What OpenCV reads and ultralytics trains on, by its ending.
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
#: Pictures too, which a data set for training gets under another ending or written anew.
OTHER_SUFFIXES: Final = frozenset(
    {
        ".jfif", ".jpe", ".jif", ".jfi", ".pjpeg", ".pjp", ".mpo", ".gif", ".avif", ".avifs", ".heic", ".heif", ".hif",
        ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".dib", ".apng", ".ico", ".tga", ".pcx", ".psd", ".jxl",
        ".svg", ".dng", ".cr2", ".nef", ".arw",
    }
)  # fmt: skip

#: Folders below each other that are looked into.
_MAX_DEPTH: Final = 8
#: What ``maskdet convert`` leaves in a folder: one that holds both is no part of a source.
_OWN_OUTPUT: Final = ("data.yaml", "audit.json")


def names_below(folder: Path, wanted: Callable[[str], bool], prefix: str = "") -> Iterator[str]:
    """Yield the wanted files of a folder and of those below it, in no order, as ``cam1/a.jpg``.

    Hidden files and folders are passed over, as is what ``maskdet convert`` wrote.

    Args:
        folder: the folder.
        wanted: tells by a file's bare name.
        prefix: what stands before every name, with its slash.

    Raises:
        DatasetError: a folder cannot be listed.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [(os.fspath(folder), prefix, 0)]
    while waiting:
        path, before, depth = waiting.pop()
        below = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith("."):
                        continue
                    if wanted(name):
                        yield before + name
                    elif depth < _MAX_DEPTH and name != "__MACOSX" and entry.is_dir():
                        below.append((entry.path, f"{before}{name}/", depth + 1))
        except OSError as error:
            raise DatasetError(path, f"cannot be listed: {error.strerror}") from error
        for one in below:
            status = os.stat(one[0])  # noqa: PTH116 - no path objects here
            key = (status.st_dev, status.st_ino)
            if key not in seen and not all(os.path.exists(f"{one[0]}/{mark}") for mark in _OWN_OUTPUT):  # noqa: PTH110
                seen.add(key)  # a link to a folder above would be followed for ever
                waiting.append(one)


def picture_names(folder: Path, prefix: str = "") -> Iterator[str]:
    """Yield the pictures of a folder and of those below it, as ``names_below`` does."""
    return names_below(folder, is_picture, prefix)


def is_picture(name: str) -> bool:
    """Say whether a file's ending is that of a picture, whether or not it can be trained on."""
    suffix = name[name.rfind(".") :].lower()
    return suffix in PICTURE_SUFFIXES or suffix in OTHER_SUFFIXES


def is_xml(name: str) -> bool:
    """Say whether a file's ending is that of an XML file."""
    return name.lower().endswith(".xml")
