"""What ``maskdet compare`` writes: JSON Lines, CSV with both answers, and pictures of the disagreements."""

from __future__ import annotations

import csv
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

import numpy as np
import numpy.typing as npt

from maskdet.chain.agreement.match import Agreement, agrees
from maskdet.chain.agreement.pictures import draw_disagreements, draw_tile
from maskdet.errors import SourceError
from maskdet.files.guard import Guard
from maskdet.imaging.encode import write_picture
from maskdet.imaging.sheet import draw_sheet
from maskdet.results import MaskResult
from maskdet.results.rows import ROW_COLUMNS
from maskdet.results.spreadsheet import text_cell
from maskdet.sources import Picture
from maskdet.terminal.console import named_errors, open_text
from maskdet.writers.lines import spreadsheet_row
from maskdet.writers.naming import OutputNames
from maskdet.writers.outputs import Outputs
from maskdet.writers.pictures import picture_target
from maskdet.writers.targets import Targets

#: The sheet of disagreeing faces, and how many it shows at most.
SHEET: Final = "disagreements.png"
SHEET_FACES: Final = 200

#: What stands behind the columns of ``maskdet detect --csv``.
MORE_COLUMNS: Final = ("classifier", "classifier_confidence", "agrees")


class CompareCsvWriter:
    """One row a face with both answers, under a header that is there even without a face."""

    def __init__(self, file: TextIO, target: str) -> None:
        """Write the header to ``file``, which messages call ``target``."""
        self._file, self._target = file, target
        self._rows = csv.DictWriter(file, (*ROW_COLUMNS, *MORE_COLUMNS), lineterminator="\n")
        with named_errors(target):
            self._rows.writeheader()

    def write(self, result: MaskResult) -> None:
        """Write the rows of one result.

        Raises:
            SourceError: they cannot be written.
        """
        with named_errors(self._target):
            for row, face in zip(result.to_rows(), result.faces, strict=True):
                answer = face.classifier or {}
                second = (text_cell(answer.get("name")), answer.get("confidence"), agrees(face))
                self._rows.writerow({**spreadsheet_row(row), **dict(zip(MORE_COLUMNS, second, strict=True))})
            self._file.flush()


class DisagreementPictures:
    """Every picture or frame with a disagreement, and at the end one sheet of the faces."""

    def __init__(self, folder: Path, guard: Guard | None = None) -> None:
        """Write below ``folder``, made when the first disagreement comes; ``guard`` knows what is read."""
        self._folder, self._guard = folder, guard or Guard()
        self._names = OutputNames()
        self._names.of_picture(Path(SHEET))
        self._tiles: list[npt.NDArray[np.uint8]] = []
        self.pictures = 0

    def write(self, picture: Picture, result: MaskResult) -> None:
        """Write one picture, where the two disagree on a face of it.

        Raises:
            SourceError: the target is the picture itself, or cannot be written.
        """
        name = self._names.name(picture)
        differing = [face for face in result.faces if not agrees(face)]
        if not differing:
            return
        room = SHEET_FACES - len(self._tiles)
        self._tiles += [draw_tile(picture.pixels, face) for face in differing[:room]]
        suffix = picture.relative.suffix if picture.clip is None else ".jpg"
        target = picture_target(self._folder, name, suffix)
        self._guard.check_media(target)
        write_picture(target, draw_disagreements(picture.pixels, result.faces))
        self.pictures += 1

    def finish(self) -> None:
        """Write the sheet, where there is a face to show.

        Raises:
            SourceError: it cannot be written.
        """
        if self._tiles:
            self._guard.check_media(self._folder / SHEET)
            write_picture(self._folder / SHEET, draw_sheet(self._tiles))


class CompareOutputs(Outputs):
    """The outputs of ``maskdet compare``; counts what it is given.

    Attributes:
        agreement: what was counted so far.
    """

    def __init__(
        self,
        json: str | None,
        csv: str | None,
        save: str | None,
        report: Callable[[SourceError], None],
        guard: Guard | None = None,
    ) -> None:
        """Name the targets, who is told of a file that cannot be written, and what knows the files that are read."""
        super().__init__(Targets(json=json), report, guard)
        self._tell = report
        self._csv = csv
        self._rows: CompareCsvWriter | None = None
        self._open = ExitStack()
        self.agreement = Agreement()
        self.pictures = DisagreementPictures(Path(save), guard) if save else None

    def __enter__(self) -> Self:
        """Open everything.

        Raises:
            SourceError: a target cannot be written.
        """
        super().__enter__()
        if self._csv:
            self._rows = CompareCsvWriter(self._open.enter_context(open_text(self._csv)), self._csv)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the sheet and close everything; after Ctrl-C too.

        Raises:
            SourceError: the sheet, or the end of the lines, cannot be written.
        """
        with self._open:
            super().__exit__(kind, error, trace)
            if self.pictures and (error is None or isinstance(error, KeyboardInterrupt)):
                self.pictures.finish()

    def write(self, picture: Picture, result: MaskResult) -> None:
        """Count one result and write it everywhere, its lines last.

        Raises:
            SourceError: the lines cannot be written.
        """
        self.agreement.add(result)
        if self.pictures:
            try:
                self.pictures.write(picture, result)
            except SourceError as error:
                self._tell(error)
        super().write(picture, result)
        if self._rows:
            self._rows.write(result)
