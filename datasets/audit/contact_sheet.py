"""One picture that shows at a glance whether the boxes sit on the faces."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_COLOURS
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.datasets.photos.picture_file import read_pixels
from maskdet.imaging import sheet

_COLUMNS, _ROWS = 6, 4
_TILE = (300, 225)  # width, height in pixels
_TITLE = 18


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
    return sheet.draw_sheet([_draw_tile(photo) for photo in photos], columns=_COLUMNS, gap=0, edge=0, whole_rows=True)


def encode_sheet(drawn: NDArray[np.uint8]) -> bytes:
    """Encode a sheet as JPEG; the same pixels give the same bytes."""
    return bytes(cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())


def _draw_tile(photo: Photo) -> NDArray[np.uint8]:
    tile = np.full((_TILE[1] + _TITLE, _TILE[0], 3), sheet.PAPER, dtype=np.uint8)
    pixels = read_pixels(photo.picture.path)
    scale = min(_TILE[0] / pixels.shape[1], _TILE[1] / pixels.shape[0])
    small = sheet.fit(pixels, _TILE, enlarge=cv2.INTER_AREA)
    for class_id, box in zip(photo.class_ids.tolist(), photo.boxes * scale, strict=True):
        x1, y1, x2, y2 = (round(value) for value in box.tolist())
        cv2.rectangle(small, (x1, y1), (x2, y2), CLASS_COLOURS[class_id % len(CLASS_COLOURS)], 1, cv2.LINE_AA)
    tile[_TITLE : _TITLE + small.shape[0], : small.shape[1]] = small
    # OpenCV's letters are ASCII only.
    title = photo.picture.path.name.encode("ascii", "replace").decode()[:42]
    cv2.putText(tile, title, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (30, 30, 30), 1, cv2.LINE_AA)
    return tile
