"""Pictures that show at a glance whether the boxes sit on the faces: a sheet of photos, or each beside its original."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES, colour_of
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.datasets.photos.picture_file import read_pixels
from maskdet.imaging import sheet

_COLUMNS, _ROWS = 6, 4
_TILE = (300, 225)  # width, height in pixels
_TITLE = 18
_INK = (30, 30, 30)

#: Width and height at most of one of a few photos, and of one of many, each beside its original.
_LARGE, _SMALL = (640, 640), (400, 300)
#: Photos up to which each has a row of its own.
_FEW: Final = 3


def choose_photos(photos: Sequence[Photo], mended: Collection[str], count: int = _COLUMNS * _ROWS) -> list[Photo]:
    """Choose photos: up to a third from annotation files with a mend, the rest spread evenly; in the order given."""
    chosen = {at for at, name in enumerate(PhotoTable.of(photos).names) if name in mended}
    chosen = set(sorted(chosen)[: count // 3])
    others = [at for at in range(len(photos)) if at not in chosen]
    missing = min(count - len(chosen), len(others))
    chosen |= {others[at * len(others) // missing] for at in range(missing)}
    return [photos[at] for at in sorted(chosen)]


def draw_sheet(photos: Sequence[Photo]) -> NDArray[np.uint8]:
    """Draw photos with their boxes in the classes' colours, six in a row: (H, W, 3) uint8 BGR.

    Raises:
        SourceError: a picture cannot be read.
    """
    tiles = [_draw_tile(photo, read_pixels(photo.picture.path), _TILE, CLASS_NAMES) for photo in photos]
    return sheet.draw_sheet(tiles, columns=_COLUMNS, gap=0, edge=0, whole_rows=True)


def draw_pairs(photos: Sequence[Photo], names: Sequence[str] = CLASS_NAMES) -> NDArray[np.uint8]:
    """Draw each photo as it is and, to its right, with its boxes and their number by class: (H, W, 3) uint8 BGR.

    Up to three photos stand one below the other, more of them two in a row.

    Args:
        names: the classes that the photos' ids count.

    Raises:
        SourceError: a picture cannot be read.
    """
    size = _LARGE if len(photos) == 1 else _SMALL
    tiles = []
    for photo in photos:
        pixels = read_pixels(photo.picture.path)
        tiles += [_draw_tile(photo, pixels, size, None), _draw_tile(photo, pixels, size, names)]
    if len(photos) == 1:  # nothing to line up with
        height = _TITLE + sheet.fit(pixels, size).shape[0]
        tiles = [tile[:height] for tile in tiles]
    return sheet.draw_sheet(tiles, columns=2 if len(photos) <= _FEW else 4)


def encode_sheet(drawn: NDArray[np.uint8]) -> bytes:
    """Encode a sheet as JPEG; the same pixels give the same bytes."""
    return bytes(cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())


def _draw_tile(
    photo: Photo, pixels: NDArray[np.uint8], size: tuple[int, int], names: Sequence[str] | None
) -> NDArray[np.uint8]:
    """Draw a photo under a title: with boxes in the colours of the classes ``names``, or as it is.

    The title is the picture's name, and beside the original, on a larger tile, the number of boxes by class.
    """
    tile = np.full((size[1] + _TITLE, size[0], 3), sheet.PAPER, dtype=np.uint8)
    small = sheet.fit(pixels, size).copy()
    title = [(photo.picture.path.name[: size[0] // 7], _INK)]
    if names is not None:
        colours = [colour_of(name, class_id) for class_id, name in enumerate(names)]
        thickness = max(1, round(min(small.shape[:2]) / 200))
        for class_id, box in zip(photo.class_ids.tolist(), photo.boxes * small.shape[0] / pixels.shape[0], strict=True):
            x1, y1, x2, y2 = (round(value) for value in box.tolist())
            cv2.rectangle(small, (x1, y1), (x2, y2), colours[class_id], thickness, cv2.LINE_AA)
        if size != _TILE:
            counts = np.bincount(photo.class_ids, minlength=len(names)).tolist()
            title = [(f"{count} {names[at]}", colours[at]) for at, count in enumerate(counts) if count]
            title = title or [("no faces", _INK)]
    tile[_TITLE : _TITLE + small.shape[0], : small.shape[1]] = small
    left = 3
    for text, colour in title:
        # OpenCV's letters are ASCII only.
        shown = text.encode("ascii", "replace").decode()
        cv2.putText(tile, shown, (left, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
        left += cv2.getTextSize(f"{shown}  ", cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)[0][0]
    return tile
