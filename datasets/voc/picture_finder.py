"""Finding the picture that belongs to an annotation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from maskdet.datasets.photos.listing import PICTURE_SUFFIXES
from maskdet.datasets.voc.annotation import VocAnnotation
from maskdet.datasets.voc.layout import Layout
from maskdet.errors import AnnotationError

#: Names shown of those that fit.
_SHOWN: Final = 5


class PictureFinder:
    """Finds the pictures of a data set's annotations; its folders are listed once."""

    def __init__(self, images: Path | Layout) -> None:
        """List the pictures of a folder, or of the layout that names it."""
        self._layout = images if isinstance(images, Layout) else Layout("flat", images, images)
        #: Names of all pictures, with their folders.
        self.names = frozenset(self._layout.picture_names())

    def find(self, annotation: VocAnnotation, name: str = "") -> tuple[Path, bool]:
        """Return the picture's path and whether ``<filename>`` named it; see ``find_name``.

        Raises:
            AnnotationError: as ``find_name``.
        """
        found, named = self.find_name(annotation, name)
        return self._layout.images / found, named

    def find_name(self, annotation: VocAnnotation, name: str = "") -> tuple[str, bool]:
        """Return the picture's path within the pictures' folder and whether ``<filename>`` named it.

        Looked for is only among the pictures of the data set. ``<filename>`` counts first, in the folder that the
        folder in the annotation's ``name`` corresponds to; folders before it (``D:/set/a.jpg``) do as far as they fit.
        Then a name that fits but for case, the way of writing accents, or ``%20``; then a picture with the stem of the
        XML file, then one with the stem of ``<filename>``, exactly at first.

        Raises:
            AnnotationError: no picture is there, or several fit.
        """
        directory = self._layout.picture_folder(name) if "/" in name else ""
        filename = annotation.filename
        if filename is not None and directory + filename in self.names:
            return directory + filename, True
        parts = _parts(filename)
        for at in range(len(parts)):
            tail = "/".join(parts[at:])
            for start in dict.fromkeys((directory, "")):
                # A bare name counts in the annotation's own folder only, where pictures lie there.
                if start + tail in self.names and (start or at < len(parts) - 1 or not self._mirrored(directory)):
                    return start + tail, True
        for fitting in self._by_name(annotation.path.stem, parts[-1] if parts else None):
            found = self._within(directory, fitting)
            if len(found) == 1:
                return found[0], bool(parts) and found[0].rpartition("/")[2] == parts[-1]
            if found:
                some = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
                raise AnnotationError(annotation.path, f"several pictures fit: {some}; keep one")
        looked_for = f"{annotation.path.stem}.*" if filename is None else f"{filename!r} or {annotation.path.stem}.*"
        raise AnnotationError(annotation.path, f"no picture found: there is no {looked_for}")

    def _by_name(self, stem: str, base: str | None) -> Iterator[list[str]]:
        """Yield the pictures that fit, the best fit first."""
        if base is not None:
            yield self._bases.get(base, [])
            yield self._folded_bases.get(fold(base), [])
        # A name without an ending is its own stem, whatever dots are in it.
        stems = [stem] if base is None else [stem, _stem(base), base]
        for one in stems:
            yield self._stems.get(one, [])
        for one in stems:
            yield self._folded_stems.get(fold(one), [])

    def _within(self, directory: str, found: Sequence[str]) -> list[str]:
        """Keep what lies in the annotation's own folder, if pictures lie there; what can be trained on, if any can."""
        if self._mirrored(directory):
            found = [name for name in found if name.startswith(directory) and "/" not in name[len(directory) :]]
        return [name for name in found if name[name.rfind(".") :].lower() in PICTURE_SUFFIXES] or list(found)

    def _mirrored(self, directory: str) -> bool:
        return bool(directory) and directory in self._folders

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(name[: name.rfind("/") + 1] for name in self.names)

    # Made when first needed, since nearly all annotations name their picture.
    @cached_property
    def _bases(self) -> dict[str, list[str]]:
        return self._index(str)

    @cached_property
    def _folded_bases(self) -> dict[str, list[str]]:
        return self._index(fold)

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        return self._index(_stem)

    @cached_property
    def _folded_stems(self) -> dict[str, list[str]]:
        return self._index(lambda base: fold(_stem(base)))

    def _index(self, key: Callable[[str], str]) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for name in sorted(self.names):
            index.setdefault(key(name[name.rfind("/") + 1 :]), []).append(name)
        return index


def fold(name: str) -> str:
    """Return a name as it compares on systems that tell neither case nor ways of writing accents; ``%20`` is a blank.

    >>> fold("IMG%201.JPG") == fold("img 1.jpg")
    True
    """
    if "%" in name:
        name = unquote(name)
    return name.casefold() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def _stem(base: str) -> str:
    at = base.rfind(".")
    return base[:at] if at > 0 else base


def _parts(filename: str | None) -> list[str]:
    """Return the folders and the name in ``<filename>``: both kinds of slash, without drives and steps up."""
    if filename is None or "\0" in filename:
        return []
    parts = re.split(r"[\\/]+", re.sub(r"^[A-Za-z]:(?=.)", "", filename))
    return [part.strip() for part in parts if part.strip() not in ("", ".", "..")]
