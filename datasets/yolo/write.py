"""Putting photos into a YOLO data set: the picture linked or copied, the label file beside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maskdet.datasets.photos.listing import PICTURE_SUFFIXES
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.datasets.photos.picture_file import KINDS, read_pixels
from maskdet.errors import DatasetError, SourceError
from maskdet.files.paths import real_path
from maskdet.results.labels import label_lines, to_yolo
from maskdet.terminal.console import to_bytes

LinkKind = Literal["link", "symlink", "copy"]


def place_picture(source: str | Path, target: str | Path, kind: LinkKind) -> None:
    """Put a picture into the new folder.

    Raises:
        DatasetError: it cannot be written.
    """
    # A hard link to a symbolic link would be a link that breaks when its target moves.
    real = real_path(source) if kind == "symlink" or os.path.islink(source) else source  # noqa: PTH114 - no path yet
    try:
        if kind == "symlink":
            Path(target).symlink_to(real)
            return
        if kind == "link":
            try:
                os.link(real, target)
                return
            except OSError:  # another file system, too many links, or a system without links
                pass
        shutil.copyfile(real, target)
    except OSError as error:
        way = ": try --images copy" if kind == "symlink" else ""
        raise DatasetError(Path(target).name, f"cannot be written ({error.strerror}){way}") from error


_ENDINGS = tuple(KINDS.values())
_ANEW = tuple(KINDS).index("other")


def target_name(file: str, kind: int, folders: tuple[tuple[str, str], ...] = ()) -> str:
    """Return where a picture of a kind, an index into ``KINDS``, goes within ``images/SPLIT/``.

    Its folders are part of its name; ``folders`` has what stands before names, and what instead.

    >>> target_name("cam1/a.jpg", 0), target_name("a.JFIF", 0), target_name("a.gif", _ANEW)
    ('cam1/a.jpg', 'a.jpg', 'a.png')
    >>> target_name("valid/images/a.jpg", 0, (("valid/images/", ""),))
    'a.jpg'
    """
    for before, instead in folders:
        if file.startswith(before):
            file = instead + file[len(before) :]
            break
    if "/" in file:
        # The last folder of this name is the one that trainers look for labels beside.
        file = "/".join(
            [*("pictures" if part == "images" else part for part in file.split("/")[:-1]), *file.split("/")[-1:]]
        )
    at = file.rfind(".")
    return file[:at] + _ENDINGS[kind] if kind == _ANEW or file[at:].lower() not in PICTURE_SUFFIXES else file


@dataclass(frozen=True, slots=True)
class PhotoWriter:
    """Writes photos that have splits into ``images/SPLIT/`` and ``labels/SPLIT/`` of a folder that has them.

    ``place`` puts a picture there, in the way that ``images`` names; ``folders`` are as ``target_name`` takes them.
    """

    folder: Path
    images: LinkKind
    place: Callable[[str, str, LinkKind], None]
    folders: tuple[tuple[str, str], ...] = ()

    def __call__(self, photos: PhotoTable) -> int:
        """Write photos; return how many.

        Raises:
            DatasetError: a picture cannot be put in place.
        """
        # Paths are strings here: to make path objects takes as long as to write the files.
        source, images, labels = map(os.fspath, (photos.folder, self.folder / "images", self.folder / "labels"))
        sizes = photos.facts[photos.owners, :2]
        lines = label_lines(photos.class_ids, to_yolo(photos.boxes, sizes))
        start = 0
        kinds = photos.facts[:, 5].tolist()
        for file, split, end, kind in zip(photos.files, photos.splits or (), photos.ends.tolist(), kinds, strict=True):
            target = target_name(file, kind, self.folders)
            if kind == _ANEW:
                _write_anew(Path(source, file), Path(images, split or "", target))
            else:
                self.place(f"{source}/{file}", f"{images}/{split}/{target}", self.images)
            write_text(f"{labels}/{split}/{target[: target.rfind('.')]}.txt", "".join(lines[start:end]))
            start = end
        return len(photos)

    def folders_of(self, photos: PhotoTable) -> Iterator[str]:
        """Yield the folders within ``images/`` that photos need, parents first."""
        splits = photos.splits or ()
        yield from dict.fromkeys(split for split in splits if split is not None)
        below = {
            f"{split}/{target[: target.rfind('/')]}"
            for file, split in zip(photos.files, splits, strict=True)
            if "/" in (target := target_name(file, 0, self.folders))
        }
        yield from sorted(below)


def _write_anew(source: Path, target: Path) -> None:
    """Write a picture as PNG, which keeps every pixel.

    Raises:
        DatasetError: it cannot be read or written.
    """
    import cv2

    try:
        target.write_bytes(cv2.imencode(".png", read_pixels(source))[1].tobytes())
    except (SourceError, OSError) as error:
        raise DatasetError(target.name, f"cannot be written anew ({error})") from error


def write_text(path: str | Path, text: str) -> None:
    """Write a text file with the same line ends on every system."""
    with open(path, "wb", buffering=0) as file:  # noqa: PTH123 - see above
        rest = to_bytes(text)
        while written := file.write(rest):  # without a buffer a nearly full disk takes a part, and says nothing
            rest = rest[written:]


def format_data_yaml(names: Sequence[str], **splits: Sequence[str]) -> str:
    """Write a ``data.yaml`` of class names and, for each split, folders of pictures relative to the file.

    There is no ``path:`` on purpose: ultralytics then takes the folder of the file itself, so the data set can be used
    from any folder and moved as a whole.
    """
    lines = ["# Written by maskdet convert. Paths are relative to this file."]
    for split, folders in splits.items():
        lines.append(f"{split}: {folders[0]}" if len(folders) == 1 else f"{split}: [{', '.join(folders)}]")
    lines.append("names:")
    lines.extend(f"  {index}: {name}" for index, name in enumerate(names))
    return "\n".join(lines) + "\n"
