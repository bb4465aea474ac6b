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

#: Endings, in lower case, of the files that ultralytics takes for pictures.
TRAINED_SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".dng", ".heic", ".heif", ".jp2", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"}
)

#: Folders below each other that are looked into.
_MAX_DEPTH: Final = 8
#: What ``maskdet convert`` leaves in a folder: one that holds both is no part of a source.
_OWN_OUTPUT: Final = ("data.yaml", "audit.json")


def names_below(folder: Path, wanted: Callable[[str], bool], prefix: str = "") -> Iterator[str]:
    """Yield the wanted files of a folder and of those below it, in no order, as ``cam1/a.jpg`` behind ``prefix``.

    Hidden files and folders are passed over, as is what ``maskdet convert`` wrote.

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
            key = _identity(one[0])
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


def trained_pictures(folder: Path) -> Iterator[str]:
    """Yield what ultralytics trains on in a folder and below, hidden ones left out, links followed unless back up.

    A folder that cannot be opened stands for itself.
    """
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [(os.fspath(folder), frozenset())]
    while waiting:
        path, above = waiting.pop()
        try:
            seen = above | {_identity(path)}
            with os.scandir(path) as entries:
                inside = list(entries)
        except OSError:
            yield path
            continue
        for entry in inside:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                linked = entry.is_symlink() and _identity(entry.path) in seen
                waiting += [] if linked else [(entry.path, seen)]
            elif os.path.splitext(entry.name)[1].lower() in TRAINED_SUFFIXES:  # noqa: PTH122
                yield entry.path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116 - no path objects here
    return status.st_dev, status.st_ino
