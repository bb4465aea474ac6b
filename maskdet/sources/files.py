"""Files: pictures and videos named by a path, a folder, a glob pattern or a list of names."""

from __future__ import annotations

import glob
import os
import stat
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.errors import SourceError
from maskdet.files.opening import status
from maskdet.files.paths import HEIF_SUFFIXES, IMAGE_SUFFIXES, UNREAD_SUFFIXES, VIDEO_SUFFIXES
from maskdet.imaging.decode import reads_heif
from maskdet.imaging.first_bytes import picture_kind
from maskdet.sources.file_content import file_kind, read_file
from maskdet.sources.picture import Missed, Picture, Source

#: Endings of lists of names.
LIST_SUFFIXES: Final = frozenset({".txt", ".csv"})

#: Kinds of pictures that lie about under other names.
_PLAIN_KINDS: Final = frozenset({"JPEG", "PNG", "WebP"})

#: How endings begin that browsers and other tools have made longer: ``.jpg_large``, ``.jpg~``.
_PICTURE_ENDINGS: Final = tuple(sorted(IMAGE_SUFFIXES))


@dataclass(frozen=True, slots=True)
class _File(Source):
    path: Path
    relative: Path

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the picture or the frames, whatever its name says it holds; see ``Source.read``."""
        yield from read_file(self.path, self.relative, stride=stride, stop=stop)


class PictureFile(_File):
    """A picture file that was found but not opened yet."""


class VideoFile(_File):
    """A video file that was found but not opened yet."""


def find_files(source: str | Path) -> list[PictureFile | VideoFile]:
    """List the pictures and videos that a path, a folder, a glob pattern or a list of names stands for.

    Raises:
        SourceError: see ``search``.
    """
    return files_among(search(source))


def files_among(sources: Iterable[Source]) -> list[PictureFile | VideoFile]:
    """Return those sources that are files."""
    return [found for found in sources if isinstance(found, (PictureFile, VideoFile))]


def search(source: str | Path, own: Collection[Path] = ()) -> Sequence[PictureFile | VideoFile | Missed]:
    """Find the pictures and videos that a path, a folder, a glob pattern or a list of names stands for.

    A folder is searched through all its subfolders, in sorted order, by file ending; hidden files, links to folders,
    ``own`` (folders that this run writes to) and ``maskdet-out`` are passed over. What is in the way stands at the end,
    as ``Missed``.

    Raises:
        SourceError: nothing is there, or a folder or pattern holds no picture and no video.
    """
    if str(source) == "":
        raise SourceError("", "the name is empty")
    path = Path(source)
    told = status(path)
    # A file may well be called "a[1].jpg": a name that exists is never a pattern.
    if told is None and glob.has_magic(str(source)):
        return _matches(str(source), own)
    if told is None:
        dead = os.path.islink(path)  # noqa: PTH114 (says False of names that no file system takes)
        raise SourceError(source, "a link that leads nowhere" if dead else "no such file or folder")
    if stat.S_ISDIR(told.st_mode):
        return _in_folder(path, source, own)
    if path.suffix.lower() in LIST_SUFFIXES and stat.S_ISREG(told.st_mode) and _is_text(path):
        return _named_in(path, own)
    kind = file_kind(path)
    if kind is not None and kind.family in {"picture", "video", "frames"}:
        found = PictureFile if kind.family == "picture" else VideoFile
        return [found(path, Path(path.name))]
    return [_by_suffix(path, Path(path.name))]


def _in_folder(folder: Path, source: str | Path, own: Collection[Path]) -> Sequence[PictureFile | VideoFile | Missed]:
    from maskdet.sources.listing import (
        list_folder,  # which a photo named by itself does without
        missed_by,
    )

    listing = list_folder(folder, own)
    read = IMAGE_SUFFIXES | VIDEO_SUFFIXES | (HEIF_SUFFIXES if reads_heif() else frozenset())
    found, unread, unnamed = [], [], []
    for path in listing.files:
        suffix = path.suffix.lower()
        # Phones write JPEGs under the name of a .heic; a raw photo's first bytes are those of a TIFF.
        if suffix in read or (suffix in HEIF_SUFFIXES and _first_kind(path) in _PLAIN_KINDS):
            found.append(path)
        elif suffix in UNREAD_SUFFIXES | HEIF_SUFFIXES:
            unread.append(path)
        elif (not suffix or suffix.startswith(_PICTURE_ENDINGS)) and _first_kind(path) in _PLAIN_KINDS:
            unnamed.append(path)
    missed = missed_by(listing, source, unread, unnamed)
    if not found and all(one.note for one in missed):
        endings = ", ".join(sorted(IMAGE_SUFFIXES) + sorted(VIDEO_SUFFIXES))
        raise SourceError(source, f"no pictures or videos in this folder (looked for {endings})")
    return [*(_by_suffix(child, child.relative_to(folder)) for child in found), *missed]


def _first_kind(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return picture_kind(file.read(64))
    except OSError:  # opening it again says what is wrong
        return None


def _matches(pattern: str, own: Collection[Path]) -> Sequence[PictureFile | VideoFile | Missed]:
    from maskdet.sources.listing import list_matches, missed_by

    listing = list_matches(pattern, own)
    missed = missed_by(listing, pattern)
    if not listing.files and all(one.note for one in missed):
        raise SourceError(pattern, "no file matches this pattern")
    return [*(_by_suffix(child, Path(child.name)) for child in listing.files), *missed]


def _is_text(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"\0" not in file.read(1024)
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})") from error


def _named_in(path: Path, own: Collection[Path]) -> Sequence[PictureFile | VideoFile | Missed]:
    """Return what the names in a list stand for; those that are not there are counted in one line."""
    found: list[PictureFile | VideoFile | Missed] = []
    gone: list[str] = []
    names = read_names(path)
    for name in names:
        for place in (Path(name), path.parent / name):
            told = status(place)
            if told is not None and not stat.S_ISDIR(told.st_mode):
                found.append(_by_suffix(place, Path(place.name)))
                break
            if told is not None or glob.has_magic(name):
                try:
                    found += search(str(place), own)
                    break
                except SourceError:  # nothing there: the other place may have it
                    continue
        else:
            gone.append(name)
    if gone:
        count = (
            f"{len(gone)} of {len(names)} names are not there" if len(gone) < len(names) else "no name in it is there"
        )
        found.append(Missed(SourceError(path, f"{count}, first {gone[0]}")))
    return found


def _by_suffix(path: Path, relative: Path) -> PictureFile | VideoFile:
    kind = VideoFile if path.suffix.lower() in VIDEO_SUFFIXES else PictureFile
    return kind(path, relative)


#: A list of a million names; more text than that is something else.
_MAX_BYTES: Final = 256 * 2**20


def read_names(path: Path) -> list[str]:
    """Return the names in a list, without empty lines; of a ``.csv`` all cells but a heading ``source``.

    Raises:
        SourceError: the file cannot be read, is larger than a list can be, or holds no name.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})") from error
    if len(data) > _MAX_BYTES:
        raise SourceError(path, "too large for a list of names")
    # Names that are no UTF-8 are kept as they are.
    lines = data.decode("utf-8-sig", errors="surrogateescape").splitlines()
    if path.suffix.lower() == ".csv":
        import csv  # which a photo named by itself does without

        try:
            rows = list(csv.reader(lines))
        except csv.Error as error:
            raise SourceError(path, f"cannot be read as CSV ({error})") from error
        lines = [cell for row in (rows[1:] if rows[:1] == [["source"]] else rows) for cell in row]
    names = [name for line in lines if (name := line.strip())]
    if not names:
        raise SourceError(path, "a list without a name in it")
    return names
