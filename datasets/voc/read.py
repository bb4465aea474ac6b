"""Reading a whole Pascal VOC data set: parse, look at the pictures, mend, and say what was mended.

Coordinates: ``xmin … ymax`` are taken as the box's edges, as the public splits and nearly all tools on this data do;
with ``one_based`` they are the devkit's 1-based pixel numbers, so that xmin and ymin lie one lower.

Turned pictures: training sees a picture upright (EXIF orientation applied). Where ``<size>`` is that of the stored
picture and the upright one has another, the boxes were drawn on the stored picture and are turned with it.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from maskdet.datasets.photos.photo import Collection, LeftOut
from maskdet.datasets.photos.photo_table import PhotoGatherer, PhotoTable
from maskdet.datasets.voc.chunk import ChunkReader, ReadChunk, ReadOptions, say_unknown
from maskdet.datasets.voc.layout import Layout, find_layout
from maskdet.errors import AnnotationError, DatasetError, MaskdetError, SourceError
from maskdet.sessions.processes import ProcessPool
from maskdet.terminal.progress import ProgressBar

__all__ = ["ReadOptions", "read_voc"]

#: Annotation files that are read at once.
CHUNK: Final = 256


def read_voc(root: Path, options: ReadOptions, pool: ProcessPool | None = None) -> tuple[Collection, Layout]:
    """Read and mend a data set, a large one side by side where there is a pool.

    Raises:
        AnnotationError: an annotation cannot be used; for unknown classes, of all files.
        SourceError: a picture cannot be used.
        DatasetError: the layout is unknown, two annotations share a picture, or nothing is left.
    """
    layout = find_layout(root)
    names = layout.xml_names()
    collection = Collection(layout.kind)
    gathered = _Gathered(layout, collection, options)
    pool = pool or ProcessPool(1)
    # Processes that work side by side have a core each.
    make = partial(ChunkReader, layout, options, threads=1 if pool.splits(len(names)) else None)
    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    with (
        closing(pool.map(make, chunks, files=len(names))) as read,
        ProgressBar("reading", total=len(names), quiet=options.quiet) as bar,
    ):
        for chunk, found in zip(chunks, read, strict=True):
            gathered.add(chunk, found)
            bar.advance(len(chunk))
    photos = gathered.photos()
    if not photos:
        first = f"; the first of {len(collection.left_out)}: " if collection.left_out else ""
        reason = f"{first}{collection.left_out[0].file}: {collection.left_out[0].reason}" if first else ""
        raise DatasetError(root, f"no usable photo in it{reason}")
    used = frozenset(photos.files)
    collection.unannotated = sorted(name for name in layout.picture_names() if name not in used)
    collection.photos = photos
    collection.mends.sort(key=lambda mend: (mend.file, mend.line or 0))
    return collection, layout


class _Gathered:
    """What was read so far."""

    def __init__(self, layout: Layout, collection: Collection, options: ReadOptions) -> None:
        self._layout, self._collection, self._options = layout, collection, options
        self._photos = PhotoGatherer(layout.images)
        self._stems: set[str] = set()
        self._first_unknown: AnnotationError | None = None

    def add(self, names: list[str], found: ReadChunk) -> None:
        """Take up what came of the files of these names.

        Raises:
            MaskdetError: the first that cannot be used, unless ``keep_going``; unknown classes wait for others.
        """
        collection = self._collection
        collection.found_by_stem += found.found_by_stem
        collection.difficult += found.difficult
        position = {number: at for at, number in enumerate(found.places)}
        kept = []
        for number, name in enumerate(names):
            error = found.failed.get(number)
            if error is None:
                at = position[number]
                if self._take(found.photos.files[at]):
                    kept.append(at)
                else:
                    kept_here = [(names[found.places[one]], found.photos.files[one]) for one in kept]
                    error = self._taken(name, found.photos.files[at], kept_here)
            collection.mends.extend(found.notices.get(number, ()))
            if error is None:
                collection.mends.extend(found.box_mends.get(number, ()))
                continue
            if number in found.unknown:
                collection.unknown += found.unknown[number]
                if self._first_unknown is None and isinstance(error, AnnotationError):
                    self._first_unknown = error
            elif not self._options.keep_going:
                raise error
            collection.left_out.append(LeftOut(name, _reason(error)))
        # The names as they are here already, instead of copies from another process.
        self._photos.add([names[found.places[at]] for at in kept], found.photos.take(kept))

    def photos(self) -> PhotoTable:
        """Return what was taken up, and let go of it.

        Raises:
            AnnotationError: classes are unknown, unless ``keep_going``; names all of them.
        """
        first = self._first_unknown
        if first is not None and not self._options.keep_going:
            error = AnnotationError(first.path, say_unknown(self._collection.unknown))
            error.line = first.line
            raise error
        self._stems.clear()
        return self._photos.table()

    def _take(self, file: str) -> bool:
        """Give a photo its picture, unless one before has it."""
        stem = _stem(file)
        if stem in self._stems:
            return False
        self._stems.add(stem)
        return True

    def _taken(self, name: str, file: str, kept_here: list[tuple[str, str]]) -> AnnotationError:
        """Say whose picture a photo wants; rare enough to look for it only now."""
        stem = _stem(file)
        before = [*zip(self._photos.names, self._photos.files, strict=True), *kept_here]
        owner = next(owner for owner, taken in before if _stem(taken) == stem)
        reason = f"its picture's name {stem!r} is already taken by {owner}"
        return AnnotationError(self._layout.annotations / name, reason)


def _stem(file: str) -> str:
    """Return what a photo's label file is named after: not every file system tells a.jpg from A.jpg."""
    return file[: file.rfind(".")].lower()


def _reason(error: MaskdetError) -> str:
    """Return an error's text without the folder, so that the audit does not depend on where the data lies."""
    if isinstance(error, AnnotationError):
        return error.reason if error.line is None else f"line {error.line}: {error.reason}"
    if isinstance(error, SourceError):
        return f"{Path(error.path).name} {error.reason}"
    return str(error)
