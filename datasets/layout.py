"""Finding the annotations and the pictures of a Pascal VOC data set on disk.

Three layouts are known::

    kaggle  ROOT/annotations/*.xml   ROOT/images/*
    voc     ROOT/Annotations/*.xml   ROOT/JPEGImages/*   ROOT/ImageSets/Main/{train,val,test}.txt
    flat    ROOT/*.xml               ROOT/*              beside each other

Folder names match in any case, and ROOT may be the folder above a single VOC folder (``VOCdevkit/VOC2007``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Literal

from maskdet.datasets.voc import VocAnnotation
from maskdet.errors import AnnotationError, DatasetError

LayoutKind = Literal["kaggle", "voc", "flat"]

#: What OpenCV reads and ultralytics trains on.
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

#: What makes more of a file name than a name, here or on Windows.
_NOT_PLAIN = frozenset("/\\:\0")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a data set keeps its parts.

    Attributes:
        kind: which of the three layouts.
        annotations: the folder of the XML files.
        images: the folder of the pictures.
        lists: the folder of the split lists (``ImageSets/Main``), None where there is none.
    """

    kind: LayoutKind
    annotations: Path
    images: Path
    lists: Path | None = None

    def xml_files(self) -> list[Path]:
        """Return the annotation files, sorted by name; hidden files are not annotations."""
        return [self.annotations / name for name in self.xml_names()]

    def xml_names(self) -> list[str]:
        """Return the names of the annotation files, sorted."""
        # Names alone: a path for each takes longer than everything else that is done with them.
        with os.scandir(self.annotations) as entries:
            return sorted(entry.name for entry in entries if _is_xml(entry.name))


def find_layout(root: Path) -> Layout:
    """Recognise the layout of a data set.

    Raises:
        DatasetError: no such folder, no annotations in it, or several data sets in it.
    """
    if not root.is_dir():
        raise DatasetError(root, "no such folder" if not root.exists() else "is not a folder")
    layout = _layout_at(root)
    if layout is not None:
        return layout
    inner = [found for child in _folders(root).values() if (found := _layout_at(child)) and found.kind != "flat"]
    if len(inner) > 1:
        names = ", ".join(sorted(found.annotations.parent.name for found in inner))
        raise DatasetError(root, f"holds several data sets ({names}): name one of them")
    if not inner:
        wanted = "annotations/ + images/, Annotations/ + JPEGImages/, or XML files beside their pictures"
        raise DatasetError(root, f"no Pascal VOC annotations here; expected {wanted}")
    return inner[0]


def _layout_at(root: Path) -> Layout | None:
    folders = _folders(root)
    annotations = folders.get("annotations")
    if annotations is not None:
        if "jpegimages" in folders:
            lists = root / "ImageSets" / "Main"
            return Layout("voc", annotations, folders["jpegimages"], lists if lists.is_dir() else None)
        if "images" in folders:
            return Layout("kaggle", annotations, folders["images"])
    if any(_is_xml(path.name) for path in root.iterdir()):
        return Layout("flat", root, root)
    return None


def _folders(root: Path) -> dict[str, Path]:
    return {path.name.lower(): path for path in root.iterdir() if path.is_dir()}


def picture_names(folder: Path) -> Iterator[str]:
    """Yield the names of the pictures in a folder, in no order; hidden files are none."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name[name.rfind(".") :].lower() in PICTURE_SUFFIXES and not name.startswith("."):
                yield name


def _is_xml(name: str) -> bool:
    return name.lower().endswith(".xml") and not name.startswith(".")


class PictureFinder:
    """Finds the picture that belongs to an annotation; the folder is listed once."""

    def __init__(self, images: Path) -> None:
        self._images = images
        #: Names of all pictures in the folder.
        self.names = frozenset(picture_names(images))

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        """Names by stem; made when first needed, since nearly all annotations name their picture."""
        stems: dict[str, list[str]] = {}
        for name in sorted(self.names):
            stems.setdefault(Path(name).stem, []).append(name)
        return stems

    def find(self, annotation: VocAnnotation) -> tuple[Path, bool]:
        """Return the picture's path and whether ``<filename>`` named it; see ``find_name``.

        Raises:
            AnnotationError: as ``find_name``.
        """
        name, named = self.find_name(annotation)
        return self._images / name, named

    def find_name(self, annotation: VocAnnotation) -> tuple[str, bool]:
        """Return the picture's path within the folder and whether ``<filename>`` named it (else its stem did).

        ``<filename>`` counts first, but only as a name inside the data set; then any picture with the stem of the XML
        file, then one with the stem of ``<filename>``.

        Raises:
            AnnotationError: the name leaves the data set, no picture is there, or several fit.
        """
        filename = annotation.filename
        if filename in self.names and not _NOT_PLAIN & set(filename):
            return filename, True
        parts = self._safe_parts(annotation)
        if parts:
            # The folder may be repeated in the name ("images/a.jpg"), or the picture may lie in a folder below.
            if parts[-1] in self.names:
                return parts[-1], True
            below = self._images.joinpath(*parts)
            if len(parts) > 1 and below.suffix.lower() in PICTURE_SUFFIXES and below.is_file():
                return str(Path(*parts)), True
        stems = [annotation.path.stem] + ([Path(parts[-1]).stem] if parts else [])
        for stem in stems:
            found = self._stems.get(stem, [])
            if len(found) == 1:
                return found[0], False
            if found:
                raise AnnotationError(annotation.path, f"several pictures fit: {', '.join(found)}; keep one")
        named = f" {annotation.filename!r} and" if annotation.filename else ""
        raise AnnotationError(annotation.path, f"no picture found: neither{named} {annotation.path.stem}.* exists")

    @staticmethod
    def _safe_parts(annotation: VocAnnotation) -> tuple[str, ...]:
        if annotation.filename is None:
            return ()
        # Windows' rules read both kinds of slash, drives and network names, wherever this runs.
        named = PureWindowsPath(annotation.filename)
        if named.anchor or ".." in named.parts or "\0" in annotation.filename:
            reason = f"<filename> {annotation.filename!r} leaves the data set: write the bare file name"
            raise AnnotationError(annotation.path, reason)
        return named.parts
