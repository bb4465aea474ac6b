"""All that one call of ``maskdet detect`` writes, opened and closed together.

Lines are written and flushed as the results come, for pictures and videos alike: a run that is killed leaves every line
whole but perhaps the last. Pictures and videos appear whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from maskdet.classes import CLASS_NAMES
from maskdet.errors import SourceError
from maskdet.files.guard import FoundFile, Guard
from maskdet.results import MaskResult
from maskdet.sources import Picture, PictureFile
from maskdet.terminal.console import open_text
from maskdet.writers.naming import OutputNames
from maskdet.writers.targets import Targets

if TYPE_CHECKING:
    from maskdet.writers.texts import CocoWriter, ResultWriter
    from maskdet.writers.video import VideoWriter


class FileWriter(Protocol):
    """Anything that writes files of one picture, or takes it for a file of all."""

    def write(self, picture: Picture, result: MaskResult, name: Path, /) -> object:
        """Write one result; ``name`` is the picture's for files, relative and without an ending."""
        ...


class _Painter:
    """Annotated pictures and videos in one folder."""

    def __init__(self, folder: Path, guard: Guard, stack: ExitStack) -> None:
        from maskdet.writers.pictures import PictureWriter

        self._pictures = PictureWriter(folder, guard)
        self._folder, self._guard, self._stack = folder, guard, stack
        self._videos: VideoWriter | None = None
        self._any_picture = False

    @property
    def kinds(self) -> str:
        return " and ".join(["pictures"] * self._any_picture + ["videos"] * self.any_video)

    @property
    def any_video(self) -> bool:
        return self._videos is not None and self._videos.finished > 0

    def write(self, picture: Picture, result: MaskResult, name: Path, /) -> None:
        if picture.clip is None:
            self._pictures.write(picture, result, name)
            self._any_picture = True
            return
        if self._videos is None:
            from maskdet.writers.video import VideoWriter

            self._videos = self._stack.enter_context(VideoWriter(self._folder, self._guard))
        self._videos.write(picture.clip, result, picture.seconds)


class Outputs:
    """Every form that was asked for, each where it was asked for.

    Use it as a context manager; lines begin on entering, and the COCO file is written on leaving, unless an error
    ended the call. Someone who interrupts it has seen enough, and gets the file of what was done.
    """

    def __init__(self, targets: Targets, report: Callable[[SourceError], None], guard: Guard | None = None) -> None:
        self._targets, self._report, self._guard = targets, report, guard or Guard()
        self._stack = ExitStack()
        self._lines: list[ResultWriter] = []
        self._files: list[FileWriter] = []
        self._coco: CocoWriter | None = None
        self._painter: _Painter | None = None
        self._names = OutputNames()

    @property
    def painted(self) -> str:
        """What was written with boxes: ``"pictures"``, ``"videos"``, ``"pictures and videos"``, or nothing."""
        return "" if self._painter is None else self._painter.kinds

    @property
    def in_old_codec(self) -> bool:
        """Whether videos were written that browsers do not play, because PyAV is missing."""
        if self._painter is None or not self._painter.any_video:
            return False
        from maskdet.writers.h264 import writes_h264

        return not writes_h264()

    def __enter__(self) -> Self:
        """Open everything."""
        targets = self._targets
        check_folders(targets)
        if targets.pictures:
            self._painter = _Painter(Path(targets.pictures), self._guard, self._stack)
            self._files.append(self._painter)
        if targets.crops:
            from maskdet.writers.pictures import CropWriter

            self._files.append(CropWriter(Path(targets.crops), self._guard))
        if any((targets.txt, targets.voc, targets.coco, targets.json, targets.csv)):
            self._open_texts(targets)
        return self

    def _open_texts(self, targets: Targets) -> None:
        from maskdet.writers import texts  # which one photo shown as a table does without

        if targets.txt:
            self._files.append(texts.YoloWriter(Path(targets.txt), confidence=targets.txt_confidence))
        if targets.voc:
            self._files.append(texts.VocWriter(Path(targets.voc)))
        if targets.coco:
            self._coco = texts.CocoWriter(targets.coco)
            self._files.append(self._coco)
        if targets.json:
            self._lines.append(texts.JsonLinesWriter(self._stack.enter_context(open_text(targets.json)), targets.json))
        if targets.csv:
            self._lines.append(texts.CsvWriter(self._stack.enter_context(open_text(targets.csv)), targets.csv))

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        with self._stack:
            if self._coco and (error is None or isinstance(error, KeyboardInterrupt)):
                self._coco.finish()

    def write(self, picture: Picture, result: MaskResult) -> None:
        """Write one result everywhere, its lines last: a line stands for files that are there.

        A file that cannot be written is reported, and the lines are written all the same.

        Raises:
            SourceError: the lines cannot be written.
        """
        if self._files:
            name = self._names.name(picture)
            for files in self._files:
                try:
                    files.write(picture, result, name)
                except SourceError as error:
                    self._report(error)
        for lines in self._lines:
            lines.write(result)


def check_targets(targets: Targets, guard: Guard) -> None:
    """Make sure, before anything is run, that nothing is destroyed.

    Raises:
        SourceError: an output is one of the files that are read, or a picture, video, label or model of somebody else;
            two outputs are one file; a folder is none; or labels or crops are there already.
    """
    texts = {"--json": targets.json, "--csv": targets.csv, "--coco": targets.coco, "--tracks": targets.tracks}
    guard.check_texts(texts)
    folders = {
        "--save": targets.pictures,
        "--save-txt": targets.txt,
        "--save-voc": targets.voc,
        "--save-crops": targets.crops,
    }
    guard.check_folders(folders, texts.values())
    check_folders(targets)
    if targets.pictures and Path(targets.pictures).is_dir():
        for target in planned(Path(targets.pictures), guard.files):
            guard.check_media(target)


def planned(folder: Path, files: Iterable[FoundFile]) -> Iterator[Path]:
    """Yield the annotated pictures and videos of files, as far as their names tell before they are opened."""
    from maskdet.writers.pictures import picture_target

    names, videos = OutputNames(), None
    for file in files:
        if isinstance(file, PictureFile):
            yield picture_target(folder, names.of_picture(file.relative), file.relative.suffix)
            continue
        if videos is None:
            from maskdet.writers.video import VideoNames

            videos = VideoNames(folder)
        yield videos.target(file.relative)


def check_folders(targets: Targets) -> None:
    """Make sure that no labels are overwritten, which may be someone's work, nor new ones mixed with old.

    Raises:
        SourceError: a folder for labels or crops holds some already, and ``overwrite`` is off.
    """
    if targets.overwrite:
        return
    crops = [Path(targets.crops, name) for name in CLASS_NAMES] if targets.crops else []
    wanted = [(targets.txt, ".txt"), (targets.voc, ".xml"), *((str(folder), ".png") for folder in crops)]
    for folder, suffix in wanted:
        if folder and any(_has(Path(folder), suffix)):
            raise SourceError(folder, f"holds {suffix} files already: choose another folder, or add --overwrite")


def _has(folder: Path, suffix: str) -> Iterator[bool]:
    """Yield for each file below a folder whether it has an ending, in whatever letters."""
    for _, _, names in os.walk(folder):
        yield from (name.lower().endswith(suffix) and not name.startswith(".") for name in names)
