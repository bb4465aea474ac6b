"""What may be written over: nothing that a run reads, and no picture, video, label or model of somebody else.

A picture or video is ours when it has our mark (``signature``), a text when it begins as ours do. An earlier ``.json``,
``.jsonl`` or ``.csv`` may be replaced too, unless it holds somebody's labels or lies in a folder that the run reads.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from maskdet.errors import SourceError
from maskdet.files.paths import HEIF_SUFFIXES, IMAGE_SUFFIXES, UNREAD_SUFFIXES, VIDEO_SUFFIXES, real_path
from maskdet.files.signature import is_our_model, is_signed

#: Endings of pictures and videos, of models, and of annotations: no text of ours is called so.
MEDIA_SUFFIXES: Final = IMAGE_SUFFIXES | HEIF_SUFFIXES | UNREAD_SUFFIXES | VIDEO_SUFFIXES
MODEL_SUFFIXES: Final = frozenset(
    {".bin", ".ckpt", ".engine", ".h5", ".keras", ".onnx", ".pb", ".pt", ".pth", ".safetensors", ".tflite"}
)
_ANNOTATION_SUFFIXES: Final = frozenset({".xml", ".yaml", ".yml"})

#: Endings of texts that an earlier run may have left.
_RESULT_SUFFIXES: Final = frozenset({".csv", ".json", ".jsonl", ".ndjson"})

#: How texts of ours begin, and those that hold somebody's labels: COCO, labelme, VIA, CreateML, tables of boxes.
_OURS: Final = r'"schema": ?"maskdet|"faces found by maskdet"|"command": ?"maskdet |\Apath,frame,|\Acrop,photo,face,'
_LABELS: Final = (
    r'"(annotations|shapes|regions|categories|label|labels|objects|bbox|completions)"\s*:'
    r"|\A[^\n]*\b(xmin|x_min|bbox|xtl|region_shape_attributes)\b"
)

#: How much of a text is looked at.
_HEAD: Final = 65536


class FoundFile(Protocol):
    """A picture or video that was found, and its path below the folder that was named."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def relative(self) -> Path:
        """Its path below that folder; its name where it was named itself."""
        ...


class Guard:
    """The files and folders that one run reads.

    Attributes:
        files: pictures and videos among the sources, in order.
    """

    def __init__(self, inputs: Iterable[str | Path | None] = (), files: Sequence[FoundFile] = ()) -> None:
        """Remember files and folders as they were named, where they are there, and what was found under them."""
        self.files = files
        self._names = [Path(name) for name in inputs if name]
        self._read: set[tuple[int, int]] | None = None

    def check_texts(self, targets: Mapping[str, str | None]) -> None:
        """Refuse texts (JSON, CSV; option -> file) that may not be written where they were asked for; ``-`` is no file.

        Raises:
            SourceError: one would destroy something, or two are one file.
        """
        taken: dict[Path, str] = {}
        for option, target in targets.items():
            if target is None or target == "-":
                continue
            path = Path(target)
            self._check_text(option, path)
            place = real_path(path)
            if place in taken and not _is_special(path):
                raise SourceError(target, f"{taken[place]} and {option} cannot both write this file")
            taken[place] = option

    def check_folders(self, folders: Mapping[str, str | None], texts: Iterable[str | None] = ()) -> None:
        """Refuse folders (option -> folder) that are files, called like one, or the same as one of ``texts``."""
        files = {real_path(text) for text in texts if text and text != "-"}
        for option, folder in folders.items():
            if folder is None:
                continue
            path = Path(folder)
            if path.is_dir():
                continue
            if real_path(path) in files:
                raise SourceError(folder, f"{option} takes a folder, and another option writes a file of this name")
            if path.exists():
                raise SourceError(folder, f"{option} takes a folder, and this is a file")
            if path.suffix.lower() in MEDIA_SUFFIXES | {".txt", ".xml", ".json", ".csv"}:
                raise SourceError(
                    folder, f"{option} takes a folder, in which files keep their names; did you mean {path.stem}?"
                )

    def check_media(self, target: Path) -> None:
        """Refuse a picture or video that may not be written.

        Raises:
            SourceError: it is one that is read, or not ours.
        """
        self._check(target, is_signed, "the original; choose another folder", "choose another folder, or move it away")

    def check_reports(self, folder: Path, names: Iterable[str]) -> None:
        """Refuse a folder of figures in which files of these names are there and not ours."""
        for target in (folder / name for name in names):
            if target.suffix.lower() in MEDIA_SUFFIXES:
                self.check_media(target)
            else:
                self._check_text("the report", target)

    def check_model(self, target: Path) -> None:
        """Refuse a model file that may not be written; errors are those of ``check_media``."""
        self._check(target, is_our_model, "what is read; choose another name", "move it away first")

    def _check(self, target: Path, ours: Callable[[Path], bool], original: str, way_out: str) -> None:
        told = _status(target)
        if told is None:
            return
        if (told.st_dev, told.st_ino) in self._inputs():
            raise SourceError(target, f"would overwrite {original}")
        if not _allows(target, told, ours):
            raise SourceError(target, f"is there already and not from maskdet; {way_out}")

    def _check_text(self, option: str, path: Path) -> None:
        suffix = path.suffix.lower()
        if suffix in MEDIA_SUFFIXES | MODEL_SUFFIXES | _ANNOTATION_SUFFIXES:
            kind = "a video" if suffix in VIDEO_SUFFIXES else "a picture" if suffix in MEDIA_SUFFIXES else suffix
            there = "exists, and its name is" if os.path.lexists(path) else "the name is"
            raise SourceError(path, f"{there} that of {kind}: {option} takes the name of the file that is written")
        told = _status(path)
        if told is None or not stat.S_ISREG(told.st_mode):
            return
        if (told.st_dev, told.st_ino) in self._inputs():
            raise SourceError(path, f"is one of the sources: {option} takes the name of the file that is written")
        earlier = suffix in _RESULT_SUFFIXES and not self._is_below_input(path)
        if not _may_replace_text(path, told.st_size, earlier=earlier):
            raise SourceError(path, f"exists and is not from maskdet: choose another name for {option}")

    def _is_below_input(self, path: Path) -> bool:
        parents = real_path(path).parents
        return any(
            name.is_dir() and real_path(name) in parents and real_path(name) != Path.cwd() for name in self._names
        )

    def _inputs(self) -> set[tuple[int, int]]:
        """Return device and number of every file that is read: links and spellings in other letters are the same."""
        if self._read is None:
            told = (_status(path) for path in (*self._names, *(source.path for source in self.files)))
            self._read = {(one.st_dev, one.st_ino) for one in told if one is not None}
        return self._read


def _allows(path: Path, told: os.stat_result, ours: Callable[[Path], bool]) -> bool:
    if not stat.S_ISREG(told.st_mode) or told.st_size == 0:
        return True
    try:
        return ours(path)
    except OSError:  # nobody can tell; it is somebody's
        return False


def _may_replace_text(path: Path, size: int, *, earlier: bool) -> bool:
    if size == 0:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise SourceError(path, f"exists and cannot be read ({error.strerror})") from error
    try:
        # The last letter may be cut in two.
        text = head.decode() if size <= _HEAD else head.decode(errors="ignore")
    except UnicodeDecodeError:
        return False
    if "\0" in text:
        return False
    return re.search(_OURS, text) is not None or (earlier and re.search(_LABELS, text, re.IGNORECASE) is None)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _is_special(path: Path) -> bool:
    told = _status(path)
    return told is not None and not stat.S_ISREG(told.st_mode)
