"""The division that a data set brings: its folders, or the lists of ``ImageSets/Main`` as tools write them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from maskdet.datasets.photos.listing import is_picture, is_xml
from maskdet.datasets.photos.photo import Mend, Photo, Split
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.datasets.voc.layout import SPLIT_FOLDERS, Layout
from maskdet.errors import DatasetError, SourceError
from maskdet.files.opening import open_file

#: A million photos with long names.
_MAX_BYTES: Final = 100_000_000
#: What the lists of a class have behind a photo: it has such an object, has none, or one that is difficult.
_FLAG: Final = re.compile(r"\s+[+-]?[01]$")


class ListSplit(NamedTuple):
    """What the lists say: for each photo its part, None where no list names it, and the lines that name no photo."""

    splits: list[Split | None]
    strays: list[Mend]


def split_by_lists(layout: Layout, photos: Sequence[Photo]) -> ListSplit:
    """Give each photo its part as ``ImageSets/Main`` has it.

    A line names a photo with or without its folders and its ending; a 1, 0 or -1 behind it is a class flag. Without a
    ``train.txt``, the lists of classes (``mask_train.txt``) stand for it: each names all photos.

    Raises:
        DatasetError: the list of train or val is missing or cannot be read, or a photo stands in two lists.
    """
    if layout.lists is None:
        raise DatasetError(layout.annotations.parent, "has no ImageSets/Main: use --split grouped")
    table = PhotoTable.of(photos)
    known = _known_names(table)
    chosen: list[Split | None] = [None] * len(table)
    origin: dict[int, str] = {}
    strays = []
    splits: tuple[Split, ...] = ("train", "val", "test")
    for split in splits:
        files = _lists_of(layout.lists, split)
        if not files and split != "test":
            raise DatasetError(layout.lists / f"{split}.txt", "no such list: use --split grouped")
        for path in files:
            for number, line in _lines(path):
                at = _find(line, known)
                if at is None:
                    strays.append(Mend(f"ImageSets/Main/{path.name}", "unlisted", f"no photo {line[:200]!r}", number))
                elif chosen[at] not in (None, split):
                    name = PhotoTable.of(photos).names[at]
                    reason = f"{_without_ending(name)} stands in {origin[at]} too: keep it in one list"
                    raise DatasetError(path, reason)
                else:
                    chosen[at] = split
                    origin[at] = path.name
    return ListSplit(chosen, strays)


def split_by_folders(root: Path, layout: Layout, photos: Sequence[Photo]) -> list[Split]:
    """Give each photo the part that its folder says.

    Raises:
        DatasetError: the data set is not divided into folders, or a part that training needs has no photo.
    """
    parts = {name: part for name in PhotoTable.of(photos).names if (part := layout.part_of(name)) is not None}
    if not parts:
        raise DatasetError(root, "is not divided into train/ and val/ or valid/: use --split grouped")
    splits = [parts[name].split for name in PhotoTable.of(photos).names]
    missing = next((split for split in ("train", "val") if split not in splits), None)
    if missing is not None:
        folders = ", ".join(part.annotations for part in layout.parts)
        raise DatasetError(root, f"its folders ({folders}) hold no photo for {missing}: use --split grouped")
    return splits


def _lists_of(folder: Path, split: Split) -> list[Path]:
    """Return the list of a split, else the lists of its classes."""
    own, of_classes = [], []
    for path in sorted(folder.iterdir()):
        stem, _, suffix = path.name.lower().rpartition(".")
        if suffix != "txt" or stem.startswith("."):
            continue
        if SPLIT_FOLDERS.get(stem) == split:
            own.append(path)
        elif "_" in stem and SPLIT_FOLDERS.get(stem.rpartition("_")[2]) == split:
            of_classes.append(path)
    return own or of_classes


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with open_file(path) as file:
            data = file.read(_MAX_BYTES)
    except OSError as error:
        raise DatasetError(path, f"cannot be read: {error.strerror}") from error
    except SourceError as error:
        raise DatasetError(path, error.reason) from error
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(path, "is not UTF-8 text: save it as UTF-8") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def _known_names(table: PhotoTable) -> dict[str, int | None]:
    """Return each photo by the names that a list may give it; None where a name could mean several."""
    known: dict[str, int | None] = {}
    for at, (name, file) in enumerate(zip(table.names, table.files, strict=True)):
        full = {_without_ending(name), _without_ending(file.replace("\\", "/"))}
        for key in full | {one.rpartition("/")[2] for one in full}:
            known[key] = at if known.get(key, at) == at else None
    return known


def _find(line: str, known: dict[str, int | None]) -> int | None:
    """Return the photo that a line names."""
    # A blank and a digit may as well be the end of a name.
    for text in dict.fromkeys((line, _FLAG.sub("", line))):
        parts = [part for part in re.split(r"[\\/]+", text) if part not in ("", ".")]
        for at in range(len(parts)):
            tail = "/".join(parts[at:])
            for key in (_without_ending(tail), tail):
                if known.get(key) is not None:
                    return known[key]
    return None


def _without_ending(name: str) -> str:
    return name[: name.rfind(".")] if is_picture(name) or is_xml(name) else name
