"""What ``maskdet compare`` writes: JSON Lines, CSV with both answers, pictures and one sheet of disagreements."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self, TextIO

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.chain.agreement import Agreement, agrees
from maskdet.classes import CLASS_COLOURS, CLASS_NAMES
from maskdet.errors import SourceError
from maskdet.files.guard import Guard
from maskdet.imaging.encode import write_picture
from maskdet.imaging.sheet import PAPER, draw_sheet, fit
from maskdet.results import Face, MaskResult
from maskdet.results.draw import SHORT_NAMES, draw_label
from maskdet.results.rows import ROW_COLUMNS, text_cell
from maskdet.sources import Picture
from maskdet.terminal.console import named_errors, open_text
from maskdet.writers.naming import OutputNames
from maskdet.writers.outputs import Outputs
from maskdet.writers.pictures import picture_target
from maskdet.writers.targets import Targets
from maskdet.writers.texts import spreadsheet_row

_Image = npt.NDArray[np.uint8]

#: A tile of the sheet: the side of a face and the height of its two lines in pixels.
TILE: Final = 128
_LINE: Final = 17
#: A face is shown with so much of what is around it, as a share of its sides.
_MARGIN: Final = 0.25


def draw_disagreements(image: _Image, faces: Sequence[Face]) -> _Image:
    """Return a copy of (H, W, 3) uint8 BGR: two answers on a face in two boxes, one within the other.

    The detector's colour and label are outside and above, the classifier's inside and below. Faces of which both say
    the same get one thin line and no label.
    """
    canvas = image.copy()
    short_side = min(image.shape[:2])
    thickness, scale = max(1, round(short_side / 300)), max(0.35, min(short_side / 900, 1.4))
    for face in faces:
        if agrees(face):
            first, second = _corners(face)
            cv2.rectangle(canvas, first, second, CLASS_COLOURS[face.class_id], 1)
    for face in reversed(faces):
        if agrees(face):
            continue
        (x1, y1), (x2, y2) = _corners(face)
        other, sure = second_answer(face)
        outer, inner = CLASS_COLOURS[face.class_id], CLASS_COLOURS[other]
        cv2.rectangle(canvas, (x1 - thickness, y1 - thickness), (x2 + thickness, y2 + thickness), outer, thickness)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), inner, thickness)
        above = f"D {SHORT_NAMES[face.class_id]} {face.confidence:.2f}"
        end = draw_label(canvas, above, (x1, y1 - thickness, y2 + thickness), outer, scale)
        # At the picture's upper edge the first label is below the box already: the second comes after it.
        bottom = max(end, y2 + thickness)
        draw_label(canvas, f"C {SHORT_NAMES[other]} {sure:.2f}", (x1, y1, bottom), inner, scale, below=True)
    return canvas


def second_answer(face: Face) -> tuple[int, float]:
    """Return the classifier's class id and its confidence."""
    answer = face.classifier or {}
    return CLASS_NAMES.index(answer["name"]), float(answer["confidence"])


def draw_tile(image: _Image, face: Face) -> _Image:
    """Cut a face out of (H, W, 3) uint8 BGR with its surroundings, TILE pixels wide, and write both answers below."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = face.box
    margin = max(x2 - x1, y2 - y1) * _MARGIN
    left, upper = max(0, round(x1 - margin)), max(0, round(y1 - margin))
    right, lower = min(width, max(left + 1, round(x2 + margin))), min(height, max(upper + 1, round(y2 + margin)))
    crop = image[min(upper, height - 1) : lower, min(left, width - 1) : right]
    tile: _Image = np.full((TILE + 2 * _LINE, TILE, 3), PAPER, dtype=np.uint8)
    fitted = fit(crop, (TILE, TILE), enlarge=cv2.INTER_CUBIC)
    tile[: fitted.shape[0], : fitted.shape[1]] = fitted
    other, sure = second_answer(face)
    for line, (letter, class_id, confidence) in enumerate((("D", face.class_id, face.confidence), ("C", other, sure))):
        top = TILE + line * _LINE
        cv2.rectangle(tile, (0, top + 2), (5, top + _LINE - 2), CLASS_COLOURS[class_id], cv2.FILLED)
        text = f"{letter} {SHORT_NAMES[class_id]} {confidence:.2f}"
        cv2.putText(tile, text, (9, top + _LINE - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (30, 30, 30), 1, cv2.LINE_AA)
    return tile


def _corners(face: Face) -> tuple[tuple[int, int], tuple[int, int]]:
    x1, y1, x2, y2 = (round(value) for value in face.box)
    return (x1, y1), (x2, y2)


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
    """The outputs of ``maskdet compare``; counts in ``agreement`` what it is given."""

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

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
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
