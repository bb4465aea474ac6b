"""What a folder or a pattern holds: the files in it, and what is in the way, never silently left out."""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskdet.errors import SourceError
from maskdet.files.opening import status
from maskdet.files.paths import HEIF_SUFFIXES, IMAGE_SUFFIXES, OWN_FOLDER, UNREAD_SUFFIXES, VIDEO_SUFFIXES, real_path
from maskdet.sources.picture import Missed


@dataclass(slots=True)
class Listing:
    """What one search has met.

    Attributes:
        files: in sorted order at the end; hidden ones are not among them.
        odd: what is neither file nor folder: links that lead nowhere, pipes, sockets.
        closed: folders that cannot be opened, with the reason.
        own: folders of our own outputs, which were not searched.
        links: links to folders, which were not followed; without those that lead to what is searched anyway.
        hidden: files whose names begin with a dot.
    """

    files: list[Path] = field(default_factory=list)
    odd: list[Path] = field(default_factory=list)
    closed: list[tuple[Path, str]] = field(default_factory=list)
    own: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)


def list_folder(folder: Path, own: Collection[Path] = ()) -> Listing:
    """Search a folder and all below it, but for links and ``own``, folders that this run writes to below it."""
    listing = Listing()
    for _ in _walk(folder, listing, _OwnFolders(own)):
        pass
    listing.files.sort()
    return listing


def list_matches(pattern: str, own: Collection[Path] = ()) -> Listing:
    """Return the files that a glob pattern matches: ``**`` stands for folders at any depth, links not followed.

    The part of the pattern before the first wildcard may lead into an own folder.
    """
    listing = Listing()
    passed_over = _OwnFolders(own)
    first = Path(pattern)
    steps = first.parts[1:] if first.anchor else first.parts
    steps = tuple(step for at, step in enumerate(steps) if step != "**" or steps[at - 1 : at] != ("**",))
    found: dict[Path, None] = {Path(first.anchor): None}
    for at, step in enumerate(steps):
        last = at == len(steps) - 1
        found = dict.fromkeys(match for base in found for match in _step(base, step, last, listing, passed_over))
    listing.odd, listing.hidden = [], []
    for path in found:
        try:
            told = status(path)
        except SourceError as error:
            listing.closed.append((path, error.reason))
            continue
        if told is None:
            listing.odd.append(path)
        elif not stat.S_ISDIR(told.st_mode):
            listing.files.append(path)
    listing.files.sort()
    return listing


class _OwnFolders:
    """Tells the folders of our own outputs."""

    def __init__(self, own: Iterable[Path]) -> None:
        self._own = frozenset(own)

    def __contains__(self, folder: Path) -> bool:
        return folder.name == OWN_FOLDER or (bool(self._own) and real_path(folder) in self._own)


def _step(base: Path, step: str, last: bool, listing: Listing, own: _OwnFolders) -> Iterator[Path]:
    """Yield what one part of a pattern matches below ``base``."""
    if step == "**":
        yield base
        yield from _walk(base, listing, own, hidden=False)
        if last:
            yield from listing.files
        listing.files = []
    elif not glob.has_magic(step):
        path = base / step
        if os.path.lexists(path):
            yield path
        elif not last:
            _note_closed(base, listing)
    else:
        takes_hidden = step.startswith(".")
        matches: Callable[[str], bool] = lambda name: fnmatch.fnmatch(name, step)  # noqa: E731
        for entry in _entries(base, listing):
            if matches(entry.name) and (takes_hidden or not entry.name.startswith(".")):
                path = base / entry.name
                if path in own and entry.is_dir():
                    listing.own.append(path)
                else:
                    yield path


def _note_closed(folder: Path, listing: Listing) -> None:
    try:
        status(folder)
    except SourceError as error:
        listing.closed.append((folder, error.reason))


def _entries(folder: Path, listing: Listing) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):  # a pattern may lead through a file
        return []
    except OSError as error:
        listing.closed.append((folder, f"cannot be read ({error.strerror})"))
        return []


def _walk(folder: Path, listing: Listing, own: _OwnFolders, *, hidden: bool = True) -> Iterator[Path]:
    """Put all files below a folder into the listing, and yield the folders, hidden ones only with ``hidden``."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        below = []
        for entry in _entries(here, listing):
            path = here / entry.name
            if entry.is_dir(follow_symlinks=False):
                if path in own:
                    listing.own.append(path)
                elif hidden or not entry.name.startswith("."):
                    below.append(path)
                    yield path
            elif entry.name.startswith("."):
                listing.hidden.append(path)
            elif _is_file(entry):
                listing.files.append(path)
            elif path.is_dir():
                if not _leads_back(path, folder):
                    listing.links.append(path)
            else:
                listing.odd.append(path)
        waiting += reversed(below)


def _leads_back(link: Path, folder: Path) -> bool:
    target, searched = real_path(link), real_path(folder)
    return target == searched or searched in target.parents


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError as error:  # else opening it says what is wrong
        return error.errno != errno.ELOOP


#: What looks like a picture or a video by its name, whether it can be read or not.
_LOOKS: frozenset[str] = IMAGE_SUFFIXES | VIDEO_SUFFIXES | HEIF_SUFFIXES | UNREAD_SUFFIXES


def missed_by(
    listing: Listing, source: str | Path, unread: Sequence[Path] = (), unnamed: Sequence[Path] = ()
) -> list[Missed]:
    """Return what a search of ``source`` could not or did not look at, one line a kind.

    ``unread`` files look like pictures and cannot be read; the names of ``unnamed`` pictures do not say so.
    """
    errors = [SourceError(path, reason) for path, reason in dict(listing.closed).items()]
    if unread:
        kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(_suffix(path) for path in unread).most_common())
        way = "; pip install pillow-heif reads .heic" if any(_suffix(path) in HEIF_SUFFIXES for path in unread) else ""
        errors.append(
            SourceError(source, f"{_count(unread, 'picture')} cannot be read ({kinds}), first {unread[0]}{way}")
        )
    odd = [path for path in listing.odd if _suffix(path) in _LOOKS]
    links = [path for path in odd if path.is_symlink()]
    others = [path for path in odd if path not in set(links)]
    if links:
        verb = "leads" if len(links) == 1 else "lead"
        errors.append(SourceError(source, f"{_count(links, 'link')} {verb} nowhere, first {links[0]}"))
    if others:
        verb = "is no file" if len(others) == 1 else "are no files"
        errors.append(SourceError(source, f"{_count(others, 'name')} that {verb}, first {others[0]}"))
    hidden = [path for path in listing.hidden if _suffix(path) in _LOOKS]
    notes = (
        (hidden, "hidden picture"),
        (unnamed, "picture without a picture's ending"),
        (listing.own, "folder of earlier outputs"),
        (listing.links, "link to a folder"),
    )
    return [Missed(error) for error in errors] + [
        Missed(SourceError(source, f"passed over: {_count(paths, noun)}, first {paths[0]}"), note=True)
        for paths, noun in notes
        if paths
    ]


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def _count(paths: Sequence[Path], noun: str) -> str:
    first, space, rest = noun.partition(" ")
    if len(paths) == 1:
        return f"1 {noun}"
    plural = noun + "s" if rest in ("", "picture") else f"{first}s{space}{rest}"
    return f"{len(paths)} {plural}"
