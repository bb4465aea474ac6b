"""Pascal VOC data sets of any size: those of a given one over and over, or generated."""

from __future__ import annotations

import random
import re
from itertools import cycle, islice
from pathlib import Path
from typing import Final, NamedTuple

import cv2

from maskdet.benchmark.measuring.pictures import base_picture, view
from maskdet.classes import CLASS_NAMES
from maskdet.datasets.voc.layout import find_layout
from maskdet.datasets.voc.parse import parse_voc
from maskdet.datasets.voc.picture_finder import PictureFinder
from maskdet.datasets.yolo.write import place_picture

#: Different generated pictures; each photo is a hard link to one of them, and ext4 allows a file 65,000 links.
DISTINCT: Final = 64
WIDTH, HEIGHT = 160, 120

_FILENAME: Final = re.compile(r"<filename>.*?</filename>", re.DOTALL)


class Sample(NamedTuple):
    """An annotation's text and its picture."""

    text: str
    picture: Path


def voc_samples(voc: Path | None, folder: Path, count: int) -> list[Sample]:
    """Return up to ``count`` annotations of a data set, or generated ones with their pictures in ``folder``.

    Raises:
        MaskdetError: the data set cannot be read.
    """
    if voc is None:
        return _generate(folder, count)
    layout = find_layout(voc)
    finder = PictureFinder(layout)
    found = []
    for name in layout.xml_names()[:count]:
        path = layout.annotations / name
        picture, _ = finder.find(parse_voc(path), name)
        found.append(Sample(path.read_text(encoding="utf-8"), picture.resolve()))
    return found


def write_voc(target: Path, samples: list[Sample], count: int) -> Path:
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


def _generate(folder: Path, count: int) -> list[Sample]:
    folder.mkdir(parents=True)
    base, pictures = base_picture(), []
    for number in range(min(DISTINCT, count)):
        picture = folder / f"{number}.jpg"
        picture.write_bytes(cv2.imencode(".jpg", view(base, 17 * number, (WIDTH, HEIGHT)))[1].tobytes())
        pictures.append(picture)
    draw = random.Random(0)
    # The public data has 4.8 faces a photo; a count that no power of two divides mixes boxes and pictures.
    texts = [_annotation(draw, draw.randint(1, 9)) for _ in range(min(101, count))]
    return [Sample(text, picture) for text, picture in zip(texts, cycle(pictures), strict=False)]


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
