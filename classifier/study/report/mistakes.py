"""The test crops that a network got wrong: as rows, and as a picture, the surest mistakes first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_COLOURS, CLASS_NAMES
from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.study.report.text import SHORT_NAMES, plain_name, table
from maskdet.classifier.study.sections import Entry

#: Crop name → (h, w, 3) uint8 BGR.
Pixels = Callable[[str], NDArray[np.uint8]]

#: Cells of one picture; more would be too small to look at on one screen.
MAX_CELLS: Final = 60
_COLUMNS: Final = 10
_CELL_WIDTH, _CROP_HEIGHT, _TEXT_HEIGHT, _GAP = 132, 112, 56, 6
_GREY: Final = (60, 60, 60)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Mistake:
    """One test crop that was answered wrongly: class indices, how probable that answer was, and its fold."""

    crop: str
    truth: int
    answer: int
    probability: float
    fold: int | None
    record: CropRecord

    @property
    def face_size(self) -> float:
        """Square root of the box's area, in pixels of the photo."""
        x1, y1, x2, y2 = self.record.box
        return math.sqrt((x2 - x1) * (y2 - y1))


def find_mistakes(entry: Entry, known: Mapping[str, CropRecord]) -> list[Mistake]:
    """Return the wrong answers of all folds, the surest first, equally sure ones by name."""
    found = []
    for run in entry.runs:
        test = run.parts["test"]
        answers = test.probabilities.argmax(axis=1)
        for index in np.flatnonzero(answers != test.labels).tolist():
            answer = int(answers[index])
            probability = float(test.probabilities[index, answer])
            crop = test.crops[index]
            found.append(Mistake(crop, int(test.labels[index]), answer, probability, run.fold, known[crop]))
    return sorted(found, key=lambda mistake: (-mistake.probability, mistake.crop))


def mistakes_table(mistakes: Sequence[Mistake]) -> str:
    """Return path, label and answer of the first ``MAX_CELLS`` mistakes, those that ``draw_gallery`` shows."""
    return table(
        ["crop", "label", "answer", "probability"],
        [
            [f"`{plain_name(one.crop)}`", CLASS_NAMES[one.truth], CLASS_NAMES[one.answer], f"{one.probability:.3f}"]
            for one in mistakes[:MAX_CELLS]
        ],
        left=3,
    )


def draw_gallery(mistakes: Sequence[Mistake], pixels: Pixels) -> NDArray[np.uint8]:
    """Draw the first ``MAX_CELLS`` mistakes, at least one, in a grid: (H, W, 3) uint8 BGR.

    Every crop is as high as the others unless it is too wide; under each stand label -> answer in the colour of the
    label, how probable it was, and the crop's file name.
    """
    shown = mistakes[:MAX_CELLS]
    if not shown:
        raise ValueError("no mistake to draw")
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    cell_height = _CROP_HEIGHT + _TEXT_HEIGHT
    sheet = np.full((_GAP + rows * (cell_height + _GAP), _GAP + columns * (_CELL_WIDTH + _GAP), 3), 255, dtype=np.uint8)
    for index, mistake in enumerate(shown):
        top = _GAP + index // columns * (cell_height + _GAP)
        left = _GAP + index % columns * (_CELL_WIDTH + _GAP)
        _draw_cell(sheet[top : top + cell_height, left : left + _CELL_WIDTH], mistake, pixels(mistake.crop))
    return sheet


def _draw_cell(cell: NDArray[np.uint8], mistake: Mistake, crop: NDArray[np.uint8]) -> None:
    height, width = crop.shape[:2]
    scale = min(_CROP_HEIGHT / height, _CELL_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Averaging when it shrinks; when it grows, smooth, since most faces are tiny and pixels hide what they show.
    scaled = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (_CROP_HEIGHT - size[1]) // 2, (_CELL_WIDTH - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = scaled
    # OpenCV's fonts have no arrow.
    _write(cell, f"{SHORT_NAMES[mistake.truth]} -> {SHORT_NAMES[mistake.answer]}", 14, CLASS_COLOURS[mistake.truth])
    _write(cell, f"{mistake.probability:.3f}  {mistake.face_size:.0f} px", 31, _GREY)
    # OpenCV's fonts draw ASCII alone.
    _write(cell, PurePosixPath(mistake.crop).name.encode("ascii", "replace").decode(), 48, _GREY)


def _write(cell: NDArray[np.uint8], text: str, below: int, colour: tuple[int, int, int]) -> None:
    """Write centred, ``below`` pixels under the crop, smaller where it would not fit."""
    scale = 0.42
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
    scale *= min(1.0, (_CELL_WIDTH - 20) / width)
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
    # Yellow on white cannot be read.
    ink = tuple(int(part * 0.7) for part in colour)
    at = ((_CELL_WIDTH - width) // 2, _CROP_HEIGHT + below)
    cv2.putText(cell, text, at, _FONT, scale, ink, 1, cv2.LINE_AA)
