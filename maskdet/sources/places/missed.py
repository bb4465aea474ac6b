"""What a search found and cannot or need not look at: counted, named and said, never silently left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from maskdet.errors import SourceError
from maskdet.files.endings import HEIF_SUFFIXES, IMAGE_SUFFIXES, UNREAD_SUFFIXES, VIDEO_SUFFIXES
from maskdet.sources.content.source import Missed
from maskdet.sources.places.listing import Listing

#: What looks like a picture or a video by its name, whether it can be read or not.
_LOOKS: frozenset[str] = IMAGE_SUFFIXES | VIDEO_SUFFIXES | HEIF_SUFFIXES | UNREAD_SUFFIXES


def missed_by(
    listing: Listing, source: str | Path, unread: Sequence[Path] = (), unnamed: Sequence[Path] = ()
) -> list[Missed]:
    """Return what a search could not or did not look at, one line a kind.

    Args:
        listing: what the search met.
        source: what was searched, as it was named.
        unread: files that look like pictures and cannot be read.
        unnamed: pictures whose names do not say so.
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
