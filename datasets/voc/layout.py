"""Finding the annotations and the pictures of a Pascal VOC data set on disk.

Known are::

    kaggle  ROOT/annotations/*.xml   ROOT/images/*
    voc     ROOT/Annotations/*.xml   ROOT/JPEGImages/*   ROOT/ImageSets/Main/{train,val,test}.txt
    flat    ROOT/*.xml               ROOT/*              beside each other, or in any folders below ROOT

Each may have folders below (``Annotations/cam1/`` with ``JPEGImages/cam1/``), which are part of the names; be divided
(``train/``, ``valid/``, ``test/``, above or below the folders of annotations and pictures); and folder names match in
any case. ROOT may be the folder above a single VOC folder (``VOCdevkit/VOC2007``) or a single divided one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from maskdet.datasets.photos.listing import is_xml, names_below, picture_names
from maskdet.datasets.photos.photo import Split
from maskdet.errors import DatasetError

LayoutKind = Literal["kaggle", "voc", "flat"]

#: Folders that divide a data set, in lower case.
SPLIT_FOLDERS: Final[dict[str, Split]] = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "testing": "test",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One of the folders that a data set is divided into: of XML files and of pictures, with a slash at the end."""

    split: Split
    annotations: str
    images: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a data set keeps its XML files, its pictures, and its split lists (``ImageSets/Main``), if any.

    ``parts`` are the folders that it is divided into; none where it is not divided by folders.
    """

    kind: LayoutKind
    annotations: Path
    images: Path
    lists: Path | None = None
    parts: tuple[Part, ...] = ()

    def xml_names(self) -> list[str]:
        """Return the names of the annotation files, sorted, with their folders; hidden files are none."""
        # Names alone: a path for each takes longer than everything else that is done with them.
        folders = [part.annotations for part in self.parts] or [""]
        return sorted(name for folder in folders for name in names_below(self.annotations / folder, is_xml, folder))

    def picture_names(self) -> Iterator[str]:
        """Yield the names of the pictures, in no order, with their folders."""
        for folder in [part.images for part in self.parts] or [""]:
            yield from picture_names(self.images / folder, folder)

    def picture_folder(self, name: str) -> str:
        """Return the folder of pictures that the folder of an annotation corresponds to, with a slash at its end."""
        part = self.part_of(name)
        folder = name[: name.rfind("/") + 1]
        return folder if part is None else part.images + folder[len(part.annotations) :]

    def target_folders(self, *, keep: bool) -> tuple[tuple[str, str], ...]:
        """Return what stands before pictures' names, here and in a converted data set; ``keep`` keeps the division."""
        splits = [part.split for part in self.parts]
        folders = []
        for part in self.parts:
            alone = keep and splits.count(part.split) == 1
            folders.append((part.images, "" if alone else part.images[: part.images.index("/") + 1]))
        return tuple(folders)

    def part_of(self, name: str) -> Part | None:
        """Return the part that an annotation lies in, by its name."""
        return next((part for part in self.parts if name.startswith(part.annotations)), None)


def find_layout(root: Path) -> Layout:
    """Recognise the layout of a data set.

    Raises:
        DatasetError: no such folder, one that cannot be listed, no annotations in it, or several data sets in it.
    """
    if not root.is_dir():
        raise DatasetError(root, "no such folder" if not root.exists() else "is not a folder")
    try:
        return _find_layout(root)
    except OSError as error:
        raise DatasetError(error.filename or root, f"cannot be listed: {error.strerror}") from error


def _find_layout(root: Path) -> Layout:
    layout = _layout_at(root)
    if layout is not None:
        return layout
    divided = _divided_above(root)
    if divided is not None:
        return divided
    inner = [found for child in _folders(root).values() if (found := _layout_at(child)) and found.kind != "flat"]
    if len(inner) > 1:
        names = ", ".join(sorted(found.annotations.parent.name for found in inner))
        raise DatasetError(root, f"holds several data sets ({names}): name one of them")
    if inner:
        return inner[0]
    # An archive unpacked into a folder of its own: its division would be lost.
    holding = [child for child in _folders(root).values() if next(names_below(child, is_xml), None) is not None]
    if len(holding) == 1 and (divided := _divided_above(holding[0])) is not None:
        return divided
    if next(names_below(root, is_xml), None) is None:
        wanted = "annotations/ + images/, Annotations/ + JPEGImages/, or XML files beside their pictures"
        raise DatasetError(root, f"no Pascal VOC annotations here; expected {wanted}")
    return Layout("flat", root, root)


def _layout_at(root: Path) -> Layout | None:
    folders = _folders(root)
    annotations = folders.get("annotations")
    if annotations is not None:
        kinds: tuple[tuple[str, LayoutKind], ...] = (("jpegimages", "voc"), ("images", "kaggle"))
        for folder, kind in kinds:
            if folder in folders:
                parts = _divided_below(annotations, folders[folder])
                return Layout(kind, annotations, folders[folder], _find_lists(folders), parts)
    if any(is_xml(path.name) and not path.name.startswith(".") for path in root.iterdir()):
        return Layout("flat", root, root)
    return None


def _find_lists(folders: dict[str, Path]) -> Path | None:
    sets = folders.get("imagesets")
    return None if sets is None else _folders(sets).get("main")


def _divided_above(root: Path) -> Layout | None:
    """Recognise ``train/``, ``valid/`` … that each hold annotations and pictures."""
    parts: list[Part] = []
    pictures_only: list[Part] = []
    for name, folder in sorted(_folders(root).items()):
        if name not in SPLIT_FOLDERS:
            continue
        found = _layout_at(folder) or Layout("flat", folder, folder)
        within = [f"{path.relative_to(root).as_posix()}/" for path in (found.annotations, found.images)]
        part = Part(SPLIT_FOLDERS[name], *within)
        (parts if next(names_below(found.annotations, is_xml), None) else pictures_only).append(part)
    # Pictures without annotations are said to be, wherever they lie.
    return Layout("flat", root, root, None, (*parts, *pictures_only)) if _is_division(parts) else None


def _divided_below(annotations: Path, images: Path) -> tuple[Part, ...]:
    """Recognise ``annotations/train/``, ``annotations/val/`` … beside ``images/train/``, ``images/val/`` …."""
    pictures = _folders(images)
    parts = []
    with os.scandir(annotations) as entries:
        if any(is_xml(entry.name) and not entry.name.startswith(".") for entry in entries):
            return ()
    for name, path in _folders(annotations).items():
        if name in SPLIT_FOLDERS and name in pictures:
            parts.append(Part(SPLIT_FOLDERS[name], f"{path.name}/", f"{pictures[name].name}/"))
        elif next(names_below(path, is_xml), None) is not None:
            return ()
    return tuple(sorted(parts, key=lambda part: part.annotations)) if _is_division(parts) else ()


def _is_division(parts: list[Part]) -> bool:
    splits = {part.split for part in parts}
    return "train" in splits and len(splits) > 1


def _folders(root: Path) -> dict[str, Path]:
    return {path.name.lower(): path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")}
