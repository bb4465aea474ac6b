"""Reading some files of a Pascal VOC data set: parse, find the picture and look at it, mend the boxes.

A chunk of files needs nothing of the others, so chunks can be read side by side; what goes back is in columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.photos.listing import PICTURE_SUFFIXES
from maskdet.datasets.photos.photo import ClassMap, Mend
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.datasets.photos.picture_file import KINDS, MIN_SIDE, Picture, look_at_all
from maskdet.datasets.voc.annotation import VocAnnotation, VocObject
from maskdet.datasets.voc.layout import Layout
from maskdet.datasets.voc.mend import Coordinates, Entry, find_frames, make_photos
from maskdet.datasets.voc.parse import parse_voc
from maskdet.datasets.voc.picture_finder import PictureFinder
from maskdet.errors import AnnotationError, MaskdetError, SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How to read.

    Attributes:
        skip_unknown: leave boxes of unknown classes out, instead of refusing the file.
        keep_going: leave unusable photos out, instead of stopping at the first.
        one_based: xmin and ymin are 1-based pixel numbers.
        duplicates: keep thumbnails, since alike photos are searched for.
    """

    classes: ClassMap = field(default_factory=ClassMap)
    skip_unknown: bool = False
    skip_difficult: bool = False
    keep_going: bool = False
    one_based: bool = False
    coordinates: Coordinates = "auto"
    duplicates: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadChunk:
    """What came of a chunk of files, of which the first is number 0; the dictionaries are by file number.

    Attributes:
        photos: the usable ones, in order.
        places: the number of each photo's file.
        unknown: boxes of each unknown class; such a file is among the failed ones.
        notices: what is to be said of a file beside its boxes.
        box_mends: what was mended, in the order of lines.
        found_by_stem: how many pictures ``<filename>`` did not name.
    """

    photos: PhotoTable
    places: list[int]
    failed: dict[int, MaskdetError]
    unknown: dict[int, Counter[str]]
    notices: dict[int, list[Mend]]
    box_mends: dict[int, list[Mend]]
    found_by_stem: int
    difficult: int


class ChunkReader:
    """Reads chunks of one data set."""

    def __init__(self, layout: Layout, options: ReadOptions, *, threads: int | None = None) -> None:
        """List the pictures of a data set."""
        self._layout, self._options, self._threads = layout, options, threads
        self._finder = PictureFinder(layout)

    def __call__(self, names: Sequence[str]) -> ReadChunk:
        """Read the annotation files of these names."""
        failed: dict[int, MaskdetError] = {}
        # First all XML, then all pictures: parsing holds the interpreter, and threads that decode meanwhile would wait
        # for it at every file they open (measured on 853 files: 1.7 s together, 0.8 s one after the other).
        found: list[tuple[VocAnnotation, str] | None] = []
        found_by_stem = 0
        for number, name in enumerate(names):
            try:
                annotation = parse_voc(self._layout.annotations / name)
                file, named = self._finder.find_name(annotation, name)
            except MaskdetError as error:
                failed[number] = error
                found.append(None)
                continue
            found_by_stem += not named
            found.append((annotation, file))
        paths = [None if what is None else self._layout.images / what[1] for what in found]
        seen = look_at_all(paths, thumb=self._options.duplicates, threads=self._threads)
        entries: list[Entry] = []
        kept = _Kept(self._options)
        for number, (what, picture) in enumerate(zip(found, seen, strict=True)):
            if what is None or picture is None:
                continue
            try:
                if isinstance(picture, SourceError):
                    raise picture
                _check_side(picture)
                objects = kept.keep(number, names[number], what[0])
            except MaskdetError as error:
                failed[number] = error
            else:
                entries.append(Entry(number, names[number], what[0], what[1], picture, objects))
        frames, unplaced = find_frames(entries, self._options.coordinates)
        if unplaced:
            failed |= {entries[at].number: error for at, error in unplaced.items()}
            left = [at for at in range(len(entries)) if at not in unplaced]
            frames = {new: frames[at] for new, at in enumerate(left) if at in frames}
            entries = [entries[at] for at in left]
        for entry in entries:
            if entry.annotation.notices or entry.picture.kind not in KINDS or _is_renamed(entry.file):
                kept.notices.setdefault(entry.number, []).extend(_notices(entry))
        photos, box_mends = make_photos(
            self._layout.images, entries, frames, one_based=self._options.one_based, thumbs=self._options.duplicates
        )
        return ReadChunk(
            photos=photos,
            places=[entry.number for entry in entries],
            failed=failed,
            unknown=kept.unknown,
            notices=kept.notices,
            box_mends=box_mends,
            found_by_stem=found_by_stem,
            difficult=kept.difficult,
        )


class _Kept:
    """Chooses the objects that are kept, and gathers what there is to say of the others."""

    def __init__(self, options: ReadOptions) -> None:
        self.notices: dict[int, list[Mend]] = {}
        self.unknown: dict[int, Counter[str]] = {}
        self.difficult = 0
        self._options = options

    def keep(self, number: int, name: str, annotation: VocAnnotation) -> list[tuple[VocObject, int]]:
        """Give each object its class id, without those that are left out on request.

        Raises:
            AnnotationError: classes are unknown.
        """
        kept, noticed, difficult = [], [], 0
        unknown: list[VocObject] = []
        for item in annotation.objects:
            difficult += item.difficult
            if item.difficult and self._options.skip_difficult:
                noticed.append(Mend(name, "difficult", f"{item.name!r} left out", item.line, before=item.box))
                continue
            index = self._options.classes.resolve(item.name)
            if index is not None:
                kept.append((item, index))
                if item.name != CLASS_NAMES[index]:
                    noticed.append(Mend(name, "renamed", f"{item.name!r} read as {CLASS_NAMES[index]}", item.line))
            elif self._options.skip_unknown:
                noticed.append(Mend(name, "unknown", f"{item.name!r} left out", item.line, before=item.box))
            else:
                unknown.append(item)
        if unknown:
            self.unknown[number] = Counter(item.name for item in unknown)
            raise AnnotationError(annotation.path, say_unknown(self.unknown[number]), unknown[0].line)
        if noticed:
            self.notices[number] = noticed
        self.difficult += difficult
        return kept


#: Unknown classes that a message lists; a name beyond so many characters is cut.
_LISTED, _NAME_SHOWN = 40, 60


def say_unknown(counts: Counter[str]) -> str:
    """Say which classes are unknown, with their numbers of boxes, and the options that help.

    >>> say_unknown(Counter(good=2, bad=1)).partition(";")[0]
    "unknown classes 'good' (2 boxes), 'bad' (1 box)"
    """
    shown = [(name[:_NAME_SHOWN], count) for name, count in counts.most_common(_LISTED)]
    listed = ", ".join(f"{name!r} ({count} {'box' if count == 1 else 'boxes'})" for name, count in shown)
    more = f" and {len(counts) - _LISTED} more" if len(counts) > _LISTED else ""
    maps = " ".join(f"--map {_quoted(name)}" for name, _ in shown)
    plural = "class" if len(counts) == 1 else "classes"
    return f"unknown {plural} {listed}{more}; the classes are {', '.join(CLASS_NAMES)}: add {maps} or --skip-unknown"


def _quoted(name: str) -> str:
    text = repr(f"{name}=CLASS")[1:-1].replace("\\'", "'").replace('"', '\\"')
    return f'"{text}"'


def _check_side(picture: Picture) -> None:
    if min(picture.size) < MIN_SIDE:
        width, height = picture.size
        reason = f"has {width}×{height} px; training takes no picture of less than {MIN_SIDE} px a side: remove it"
        raise SourceError(picture.path, reason)


def _is_renamed(file: str) -> bool:
    return file[file.rfind(".") :].lower() not in PICTURE_SUFFIXES


def _notices(entry: Entry) -> list[Mend]:
    """Say what reading the file and looking at its picture brought up."""
    told = [Mend(entry.name, notice.kind, notice.detail, notice.line) for notice in entry.annotation.notices]
    base, kind = entry.file.rpartition("/")[2], entry.picture.kind
    if kind not in KINDS:
        told.append(Mend(entry.name, "picture", f"{base} is {kind}, which training does not take: written anew as PNG"))
    elif _is_renamed(entry.file):
        told.append(Mend(entry.name, "picture", f"{base} is {kind}: written with the ending {KINDS[kind]}"))
    return told
