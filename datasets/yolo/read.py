"""Reading a YOLO data set as it stands, to audit and count it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskdet.datasets.photos.mend import below_a_pixel, mend_boxes
from maskdet.datasets.photos.photo import Collection, LeftOut, Mend, Photo
from maskdet.datasets.yolo.data_yaml import DataYaml, read_data_yaml
from maskdet.datasets.yolo.labelled_picture import LabelledPicture, read_pictures
from maskdet.errors import DatasetError
from maskdet.results.yolo import from_yolo
from maskdet.terminal.progress import track

#: Six decimals round a box's edge by up to 1e-6 of the picture; only what is further out counts as over the edge.
_ROUNDING = 1.5e-6


def read_yolo(path: Path, *, thumbs: bool = False, quiet: bool = False) -> tuple[Collection, tuple[str, ...]]:
    """Read a YOLO data set; unusable photos are listed, bad boxes are mended in memory and listed.

    Args:
        path: its ``data.yaml``.
        thumbs: keep thumbnails for the search for duplicates.
        quiet: no progress bar.

    Returns:
        The data set and its class names. A picture that two parts list is there twice.

    Raises:
        DatasetError: the description is wrong, or nothing usable is in it.
    """
    description = read_data_yaml(path)
    collection = Collection("yolo")
    listed = [(split, picture) for split in description.splits for picture in description.pictures(split)]
    seen = read_pictures([file for _, file in listed], description, thumbs=thumbs)
    pairs = zip(listed, seen, strict=True)
    photos = []
    for (split, file), one in track(pairs, label="reading", total=len(listed), quiet=quiet):
        name = f"{split}/{file.name}"
        if isinstance(one, LabelledPicture):
            photos.append(_make_photo(split, one, description, collection))
        else:
            line = getattr(one, "line", None)
            collection.left_out.append(LeftOut(name, one.reason if line is None else f"line {line}: {one.reason}"))
    if not photos:
        raise DatasetError(path, "no usable photo in it")
    collection.photos = photos
    return collection, description.names


def _make_photo(split: str, read: LabelledPicture, description: DataYaml, collection: Collection) -> Photo:
    picture, labels = read.picture, read.labels
    name = f"{split}/{picture.path.name}"
    if labels is None:
        collection.unannotated.append(name)
        return Photo(name, picture, np.empty(0, np.int64), np.empty((0, 4)), split)
    shares = from_yolo(labels.rows, (1, 1))
    mended = mend_boxes(shares, np.ones((len(shares), 2)))
    empty = mended.empty
    outside = (np.abs(mended.boxes - shares) > _ROUNDING).any(axis=1) & ~empty
    repeated = labels.repeated & ~empty
    tiny = below_a_pixel(mended.boxes * np.tile(picture.size, 2), np.array([picture.size])) & ~empty & ~repeated
    for at in np.flatnonzero(outside | empty | repeated | tiny | labels.polygons):
        title, line = description.names[labels.class_ids[at]], labels.lines[at]
        if labels.polygons:
            collection.mends.append(Mend(name, "polygon", f"{title} is a polygon, read as the box around it", line))
        if outside[at]:
            collection.mends.append(Mend(name, "clipped", f"{title} reaches over the picture's edge", line))
        if empty[at]:
            collection.mends.append(Mend(name, "empty", f"{title} has no area", line))
        if repeated[at]:
            collection.mends.append(Mend(name, "repeated", f"{title} is given twice", line))
        if tiny[at]:
            collection.mends.append(Mend(name, "tiny", f"{title} is less than a pixel wide or high", line))
    keep = ~empty & ~repeated
    return Photo(name, picture, labels.class_ids[keep], mended.boxes[keep] * np.tile(picture.size, 2), split)
