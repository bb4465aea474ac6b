"""The gallery of mistakes: cut-outs with the labelled and the found boxes, by size and class, and a CSV of all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_COLOURS, CLASS_NAMES
from maskdet.detector.evaluation.coco import SIZES
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.evaluation.mistakes import KINDS, Box, Mistake
from maskdet.detector.inference.postprocess import Detections
from maskdet.files.atomic import write_bytes
from maskdet.imaging.decode import decode_file
from maskdet.imaging.encode import write_picture
from maskdet.imaging.sheet import GAP, PAPER, draw_sheet
from maskdet.results.draw import SHORT_NAMES

_Image = npt.NDArray[np.uint8]

#: Side of a cut-out, and height of each of its two lines, in pixels.
TILE: Final = 150
_LINE: Final = 16
_TITLE: Final = 24
#: A cut-out is so many times as wide as the face, and at least so many pixels of the photo.
_CONTEXT, _LEAST = 3.0, 48.0
#: Dashes of a found box, in pixels.
_DASH: Final = 5
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


_COLUMNS: Final = (
    "photo", "kind", "doubtful_label", "label", "found", "confidence", "iou", "side", "x1", "y1", "x2", "y2"
)  # fmt: skip

#: What ``write_gallery`` may write.
FILES: Final = ("mistakes.csv", "doubtful_labels.png", *(f"{kind}.png" for kind in KINDS))


def write_gallery(
    folder: Path, labelled: LabelledSplit, found: Sequence[Detections], mistakes: Sequence[Mistake], *, conf: float
) -> list[Path]:
    """Write one picture a kind of mistake, one of the doubtful labels, and the CSV; return their paths.

    Args:
        folder: where they go.
        conf: boxes at or below it are not drawn.

    Raises:
        SourceError: a photo cannot be decoded, or a file not written.
    """

    def tile_of(mistake: Mistake) -> _Image:
        photo, detected = labelled.photos[mistake.photo], found[mistake.photo]
        reported = detected.take(detected.confidences > conf)
        return draw_tile(decode_file(photo), mistake, labelled.truths[mistake.photo], reported, photo.stem)

    written = [write_bytes(folder / "mistakes.csv", _csv(labelled, mistakes).encode())]
    sheets: dict[str, list[Mistake]] = {kind: [one for one in mistakes if one.kind == kind] for kind in KINDS}
    for name, shown in {**sheets, "doubtful_labels": [one for one in mistakes if one.doubtful]}.items():
        picture = draw_gallery(shown, tile_of)
        if picture is not None:
            written.append(write_picture(folder / f"{name}.png", picture))
    return written


def _csv(labelled: LabelledSplit, mistakes: Sequence[Mistake]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in mistakes:
        names = ["" if class_id is None else CLASS_NAMES[class_id] for class_id in (one.label, one.found)]
        sure = "" if one.confidence is None else f"{one.confidence:.4f}"
        figures = [sure, f"{one.iou:.3f}", f"{one.side:.1f}", *(f"{value:.1f}" for value in one.box)]
        writer.writerow([labelled.photos[one.photo].name, one.kind, int(one.doubtful), *names, *figures])
    return text.getvalue()


def draw_tile(image: _Image, mistake: Mistake, truth: Truth, found: Detections, name: str) -> _Image:
    """Cut a mistake out with its surroundings.

    Labelled boxes are drawn solid, found ones dashed and a pixel outside, both in their class's colour.

    Args:
        image: (H, W, 3) uint8 BGR, the photo.

    Returns:
        (TILE + two lines, TILE, 3) uint8 BGR.
    """
    x1, y1, x2, y2 = mistake.box
    side = max(_CONTEXT * max(x2 - x1, y2 - y1), _LEAST)
    left, top = (x1 + x2 - side) / 2, (y1 + y2 - side) / 2
    scale = TILE / side
    # Beyond the photo's edge there is paper.
    move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    ways = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    view = cv2.warpAffine(
        image, move, (TILE, TILE), flags=ways, borderMode=cv2.BORDER_CONSTANT, borderValue=(PAPER, PAPER, PAPER)
    )
    tile: _Image = np.full((TILE + 2 * _LINE, TILE, 3), PAPER, dtype=np.uint8)
    tile[:TILE] = view
    canvas = tile[:TILE]

    def corners(box: Box, grow: int) -> tuple[tuple[int, int], tuple[int, int]]:
        a, b, c, d = (round((value - start) * scale) for value, start in zip(box, (left, top) * 2, strict=True))
        return (a - grow, b - grow), (c + grow, d + grow)

    for box, class_id in zip(truth.boxes.tolist(), truth.class_ids.tolist(), strict=True):
        cv2.rectangle(canvas, *corners(tuple(box), 0), CLASS_COLOURS[class_id], 1)
    for box, class_id in zip(found.boxes.tolist(), found.class_ids.tolist(), strict=True):
        _dashed(canvas, *corners(tuple(box), 2), CLASS_COLOURS[class_id])
    _write(tile, 0, caption(mistake))
    _write(tile, 1, f"{name} {mistake.side:.0f} px")
    return tile


def caption(mistake: Mistake) -> str:
    """Say in a few words what is wrong.

    >>> caption(Mistake(0, "wrong_class", 0, 2, 0.91, 0.8, (0, 0, 9, 9)))
    'mask, found worn wrong .91'
    >>> caption(Mistake(0, "missed", 1, None, None, 0.0, (0, 0, 9, 9)))
    'no mask, missed'
    """
    label = "no label" if mistake.label is None else SHORT_NAMES[mistake.label]
    if mistake.found is None or mistake.confidence is None:
        return f"{label}, missed"
    found = f"{SHORT_NAMES[mistake.found]} {f'{mistake.confidence:.2f}'.removeprefix('0')}"
    return f"{label}, only {found}" if mistake.kind == "missed" else f"{label}, found {found}"


def draw_gallery(mistakes: Sequence[Mistake], tile_of: Callable[[Mistake], _Image], *, rows: int = 2) -> _Image | None:
    """Draw the first mistakes of every size and class, in the order given, under a title each.

    Returns:
        (H, W, 3) uint8 BGR; None without a mistake.
    """
    parts: list[_Image] = []
    for size in list(SIZES)[1:]:
        for class_id, name in enumerate(CLASS_NAMES):
            mine = [one for one in mistakes if one.size == size and one.class_id == class_id]
            if mine:
                sheet = draw_sheet([tile_of(one) for one in mine[: 10 * rows]])
                parts += [_title(f"{name}, {size}: {len(mine)}", CLASS_COLOURS[class_id]), sheet]
    if not parts:
        return None
    width = max(part.shape[1] for part in parts)
    padded = [
        cv2.copyMakeBorder(part, 0, 0, 0, width - part.shape[1], cv2.BORDER_CONSTANT, value=(PAPER, PAPER, PAPER))
        for part in parts
    ]
    gallery: _Image = np.concatenate(padded).astype(np.uint8)
    return gallery


def _title(text: str, colour: tuple[int, int, int]) -> _Image:
    (width, _), _ = cv2.getTextSize(text, _FONT, 0.5, 1)
    bar: _Image = np.full((_TITLE, width + 40, 3), PAPER, dtype=np.uint8)
    cv2.rectangle(bar, (GAP, 8), (GAP + 12, 20), colour, cv2.FILLED)
    cv2.putText(bar, text, (GAP + 20, 19), _FONT, 0.5, (30, 30, 30), 1, cv2.LINE_AA)
    return bar


def _write(tile: _Image, line: int, text: str) -> None:
    """Write a line under the cut-out, smaller where it would not fit."""
    (width, _), _ = cv2.getTextSize(text, _FONT, 0.38, 1)
    scale = 0.38 * min(1.0, (TILE - 4) / max(width, 1))
    cv2.putText(tile, text, (2, TILE + (line + 1) * _LINE - 5), _FONT, scale, (30, 30, 30), 1, cv2.LINE_AA)


def _dashed(canvas: _Image, first: tuple[int, int], last: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Draw a dashed rectangle between two corners."""
    (x1, y1), (x2, y2) = first, last
    for start in range(x1, x2, 2 * _DASH):
        for y in (y1, y2):
            cv2.line(canvas, (start, y), (min(start + _DASH, x2), y), colour, 1)
    for start in range(y1, y2, 2 * _DASH):
        for x in (x1, x2):
            cv2.line(canvas, (x, start), (x, min(start + _DASH, y2)), colour, 1)
