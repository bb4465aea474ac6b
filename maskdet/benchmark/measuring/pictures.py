"""Pictures to measure on: those of a folder, or generated ones that are the same everywhere."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.datasets.yolo.write import place_picture
from maskdet.errors import SourceError
from maskdet.sources import PictureFile, find_files

Image = npt.NDArray[np.uint8]

#: Width and height of the generated photos, in pixels: the commonest of the public data set.
SHAPES: Final = ((400, 267), (400, 300), (301, 400), (400, 225))

#: Different generated photos; a larger folder repeats them.
DISTINCT: Final = 32

#: The example picture, where this is a checkout: faces that are found cost a little, too.
EXAMPLE: Final = Path(__file__).resolve().parents[3] / "examples" / "crew.jpg"


def base_picture(example: Path = EXAMPLE) -> Image:
    """Return the example picture, or without it four drawn faces: (H, W, 3) uint8 BGR."""
    found = cv2.imread(str(example)) if example.is_file() else None
    return _draw_faces() if found is None else np.asarray(found, dtype=np.uint8)


def _draw_faces() -> Image:
    """Draw four portraits, two of them with a mask, on a ground with some texture, 285 × 1020 pixels."""
    ground = np.random.default_rng(0).integers(60, 200, (36, 128, 3), dtype=np.uint8)
    picture: Image = np.asarray(cv2.resize(ground, (1020, 285), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    for number in range(4):
        x, y = 130 + 255 * number, 140
        cv2.ellipse(picture, (x, y), (70, 95), 0, 0, 360, (140, 170, 215), -1, cv2.LINE_AA)
        for side in (-26, 26):
            cv2.circle(picture, (x + side, y - 25), 8, (40, 40, 40), -1, cv2.LINE_AA)
        if number % 2:
            cv2.ellipse(picture, (x, y + 35), (60, 50), 0, 0, 360, (220, 200, 160), -1, cv2.LINE_AA)
        else:
            cv2.ellipse(picture, (x, y + 45), (24, 9), 0, 0, 180, (70, 70, 160), -1, cv2.LINE_AA)
    return picture


def view(base: Image, number: int, size: tuple[int, int]) -> Image:
    """Return picture ``number`` of a series that pans over ``base``, filled to ``size`` (width, height)."""
    width, height = size
    scale = max(height / base.shape[0], width / base.shape[1])
    scaled = cv2.resize(base, None, fx=scale, fy=scale)
    scaled = np.roll(scaled, -4 * number, axis=1)[:height, :width]
    return np.ascontiguousarray(cv2.resize(scaled, size), dtype=np.uint8)


def write_photos(folder: Path, count: int) -> list[Path]:
    """Write up to ``DISTINCT`` generated JPEG photos into a new folder and return them."""
    folder.mkdir(parents=True)
    base, paths = base_picture(), []
    for number in range(min(count, DISTINCT)):
        path = folder / f"{number:05d}.jpg"
        pixels = view(base, 11 * number, SHAPES[number % len(SHAPES)])
        path.write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes())
        paths.append(path)
    return paths


def originals(source: Path | None, folder: Path, count: int) -> list[Path]:
    """Return up to ``count`` photos of ``source`` (a folder, searched through), or generated ones in ``folder``.

    Raises:
        SourceError: there are none.
    """
    if source is None:
        return write_photos(folder, count)
    found = [item.path for item in find_files(source) if isinstance(item, PictureFile)]
    if not found:
        raise SourceError(source, "holds no photos, only videos: give a folder of photos")
    return found[:count]


def photo_folder(folder: Path, photos: list[Path], count: int) -> Path:
    """Fill a new folder with ``count`` hard links (copies where those cannot be) to ``photos``, over and over."""
    folder.mkdir(parents=True)
    for number, photo in enumerate(islice(cycle(photos), count)):
        place_picture(photo.resolve(), folder / f"{number:06d}{photo.suffix.lower()}", "link")
    return folder


def write_clip(path: Path, frames: int, size: tuple[int, int], base: Image | None = None) -> Path:
    """Write an MP4 video, 25 frames a second, that pans over a picture.

    Args:
        path: the file.
        frames: how many.
        size: width and height in pixels.
        base: the picture, (H, W, 3) uint8 BGR; None for ``base_picture``.

    Raises:
        SourceError: OpenCV cannot write it.
    """
    base = base_picture() if base is None else base
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, size)
    if not writer.isOpened():
        raise SourceError(path, "this OpenCV cannot write MP4 videos")
    for number in range(frames):
        writer.write(view(base, number, size))
    writer.release()
    return path
