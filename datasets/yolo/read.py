"""Reading a YOLO data set as it stands, each photo and its labels as the trainer sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from maskdet.datasets.photos.mend import below_a_pixel, mend_boxes
from maskdet.datasets.photos.photo import Collection, LeftOut, Mend, Photo
from maskdet.datasets.photos.picture_file import MIN_SIDE, Picture, look_at_all
from maskdet.datasets.yolo.data_yaml import DataYaml, find_data_yaml, read_data_yaml
from maskdet.datasets.yolo.labels import Labels, label_path, read_labels
from maskdet.errors import AnnotationError, DatasetError, SourceError
from maskdet.results.labels import from_yolo
from maskdet.terminal.progress import track

#: Kinds that ultralytics trains on.
_TRAINED: Final = frozenset({"JPEG", "PNG", "BMP", "TIFF", "WebP", "JPEG 2000", "AVIF", "HEIC"})


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """A usable photo; without labels where there is no such file, which means no faces."""

    picture: Picture
    labels: Labels | None


def read_pictures(
    files: Sequence[Path], description: DataYaml, *, thumbs: bool = False, single_class: bool = False
) -> Iterator[LabelledPicture | AnnotationError | SourceError]:
    """Read photos of a data set and their labels; with ``single_class`` every class number counts as 0.

    Yields:
        For each in order what it holds, or why ultralytics would not train on it.
    """
    for file, picture in zip(files, look_at_all(files, thumb=thumbs), strict=True):
        if not isinstance(picture, Picture):
            assert picture is not None, file
            yield picture
            continue
        try:
            check_trainable(picture)
            yield LabelledPicture(picture, _read_labels(file, description, single_class))
        except (AnnotationError, SourceError) as error:
            yield error


def check_trainable(picture: Picture) -> None:
    """Make sure that ultralytics trains on a picture that can be decoded: its kind and size.

    Raises:
        SourceError: it would not.
    """
    if min(picture.size) < MIN_SIDE:
        width, height = picture.size
        raise SourceError(picture.path, f"is too small to train on ({width}×{height} px): a side needs {MIN_SIDE}")
    if picture.kind not in _TRAINED:
        reason = f"is {picture.kind}, which ultralytics does not train on: write it anew as JPEG or PNG"
        raise SourceError(picture.path, reason)


def training_pictures(data: str | Path, need: str) -> list[Path]:
    """Return the usable photos of a data set's split ``train``, in the trainer's order; ``need`` says what for.

    Raises:
        DatasetError: no such file, or no usable photos in that split.
    """
    path = find_data_yaml(data)
    described = read_data_yaml(path)
    files = described.pictures("train") if "train" in described.splits else []
    usable = [one.picture.path for one in read_pictures(files, described) if isinstance(one, LabelledPicture)]
    if not usable:
        raise DatasetError(path, f"has no photos in its split 'train': {need}")
    return usable


def _read_labels(photo: Path, description: DataYaml, single_class: bool) -> Labels | None:
    file = label_path(photo)
    if not file.is_file():
        return None
    return read_labels(file, classes=len(description.names), keypoints=description.keypoints, single_class=single_class)


#: Six decimals round a box's edge by up to 1e-6 of the picture; only what is further out counts as over the edge.
_ROUNDING = 1.5e-6


def read_yolo(path: Path, *, thumbs: bool = False, quiet: bool = False) -> tuple[Collection, tuple[str, ...]]:
    """Read a YOLO data set and its class names; a picture that two parts list is there twice.

    Unusable photos are listed, bad boxes are mended in memory and listed.

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
