"""What is measured on: pictures, videos and Pascal VOC data sets, given ones or generated, the same everywhere."""

from __future__ import annotations

import random
import re
from itertools import cycle, islice
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.voc.layout import find_layout
from maskdet.datasets.voc.parse import parse_voc
from maskdet.datasets.voc.picture_finder import PictureFinder
from maskdet.datasets.yolo.write import place_picture
from maskdet.errors import SourceError
from maskdet.sources import PictureFile, find_files

Image = npt.NDArray[np.uint8]

#: Width and height of the generated photos, in pixels: the commonest of the public data set.
SHAPES: Final = ((400, 267), (400, 300), (301, 400), (400, 225))

#: Different generated photos; a larger folder repeats them.
DISTINCT: Final = 32

#: The example picture, where this is a checkout: faces that are found cost a little, too.
EXAMPLE: Final = Path(__file__).resolve().parents[2] / "examples" / "crew.jpg"


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
    """Return up to ``count`` photos of ``source`` (a folder, searched through), or generated ones in ``folder``."""
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
    """Write an MP4 video of (width, height) pixels, 25 frames a second, that pans over a picture (H, W, 3) uint8 BGR.

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


#: Different generated pictures; each photo is a hard link to one of them, and ext4 allows a file 65,000 links.
_DISTINCT_ANNOTATED: Final = 64
WIDTH, HEIGHT = 160, 120

_FILENAME: Final = re.compile(r"<filename>.*?</filename>", re.DOTALL)


class Annotated(NamedTuple):
    """An annotation's text and its picture."""

    text: str
    picture: Path


def voc_samples(voc: Path | None, folder: Path, count: int) -> list[Annotated]:
    """Return up to ``count`` annotations of a data set, or generated ones with their pictures in ``folder``."""
    if voc is None:
        return _generate(folder, count)
    layout = find_layout(voc)
    finder = PictureFinder(layout)
    found = []
    for name in layout.xml_names()[:count]:
        path = layout.annotations / name
        picture, _ = finder.find(parse_voc(path), name)
        found.append(Annotated(path.read_text(encoding="utf-8"), picture.resolve()))
    return found


def write_voc(target: Path, samples: list[Annotated], count: int) -> Path:
    """Write a data set of ``count`` photos, ``annotations/`` and ``images/``, from the samples over and over."""
    (target / "annotations").mkdir(parents=True)
    (target / "images").mkdir()
    for number, sample in enumerate(islice(cycle(samples), count)):
        name = f"{number:06d}{sample.picture.suffix}"
        named = f"<filename>{name}</filename>"
        text, found = _FILENAME.subn(named, sample.text, count=1)
        if not found:
            text = text.replace("<annotation>", f"<annotation>{named}", 1)
        (target / "annotations" / f"{number:06d}.xml").write_text(text, encoding="utf-8")
        place_picture(sample.picture, target / "images" / name, "link")
    return target


def _generate(folder: Path, count: int) -> list[Annotated]:
    folder.mkdir(parents=True)
    base, pictures = base_picture(), []
    for number in range(min(_DISTINCT_ANNOTATED, count)):
        picture = folder / f"{number}.jpg"
        picture.write_bytes(cv2.imencode(".jpg", view(base, 17 * number, (WIDTH, HEIGHT)))[1].tobytes())
        pictures.append(picture)
    draw = random.Random(0)
    # The public data has 4.8 faces a photo; a count that no power of two divides mixes boxes and pictures.
    texts = [_annotation(draw, draw.randint(1, 9)) for _ in range(min(101, count))]
    return [Annotated(text, picture) for text, picture in zip(texts, cycle(pictures), strict=False)]


def _annotation(draw: random.Random, faces: int) -> str:
    parts = ["<annotation>", "    <folder>images</folder>", "    <filename>x.jpg</filename>"]
    parts += [f"    <size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"]
    for _ in range(faces):
        x, y = draw.randint(0, WIDTH - 40), draw.randint(0, HEIGHT - 40)
        corners = {"xmin": x, "ymin": y, "xmax": x + draw.randint(8, 39), "ymax": y + draw.randint(8, 39)}
        parts += ["    <object>", f"        <name>{draw.choice(CLASS_NAMES)}</name>", "        <bndbox>"]
        parts += [f"            <{key}>{value}</{key}>" for key, value in corners.items()]
        parts += ["        </bndbox>", "    </object>"]
    return "\n".join([*parts, "</annotation>", ""])
