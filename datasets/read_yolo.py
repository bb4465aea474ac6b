"""Reading a YOLO data set as it stands, to audit and count it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from maskdet.datasets.mend import find_repeated, mend_boxes
from maskdet.datasets.photo import Collection, LeftOut, Mend, Photo
from maskdet.datasets.picture import Picture, look_at_all
from maskdet.datasets.yolo import DataYaml, from_yolo, label_path, read_data_yaml, read_labels
from maskdet.errors import AnnotationError, DatasetError
from maskdet.progress import track

#: Six decimals round a box's edge by up to 1e-6 of the picture; only what is further out counts as over the edge.
_ROUNDING = 1.5e-6


def find_data_yaml(root: Path) -> Path | None:
    """Return the description of a YOLO data set: ``root`` itself or the YAML file in it, None where there is none.

    Raises:
        DatasetError: the folder has several YAML files and none is called ``data.yaml``.
    """
    if root.is_file():
        return root
    files = sorted(file for suffix in ("*.yaml", "*.yml") for file in root.glob(suffix))
    for file in files:
        if file.stem == "data":
            return file
    if len(files) > 1:
        raise DatasetError(root, f"has several YAML files: name one of {', '.join(file.name for file in files)}")
    return files[0] if files else None


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
    seen = look_at_all([picture for _, picture in listed], thumb=thumbs)
    pairs = zip(listed, seen, strict=True)
    photos = []
    for (split, file), picture in track(pairs, label="reading", total=len(listed), quiet=quiet):
        if isinstance(picture, Picture):
            try:
                photos.append(_read_photo(split, picture, description, collection))
            except AnnotationError as error:
                where = "" if error.line is None else f"line {error.line}: "
                collection.left_out.append(LeftOut(f"{split}/{file.name}", where + error.reason))
        elif picture is not None:
            collection.left_out.append(LeftOut(f"{split}/{file.name}", picture.reason))
    if not photos:
        raise DatasetError(path, "no usable photo in it")
    collection.photos = photos
    return collection, description.names


def _read_photo(split: str, picture: Picture, description: DataYaml, collection: Collection) -> Photo:
    labels = label_path(picture.path)
    name = f"{split}/{picture.path.name}"
    if not labels.is_file():
        collection.unannotated.append(name)
        return Photo(name, picture, np.empty(0, np.int64), np.empty((0, 4)), split)
    class_ids, rows, lines = read_labels(labels)
    stranger = next((at for at, index in enumerate(class_ids) if index >= len(description.names)), None)
    if stranger is not None:
        reason = f"class {class_ids[stranger]} of {len(description.names)} classes"
        raise AnnotationError(labels, reason, lines[stranger])
    shares = from_yolo(rows, (1, 1))
    mended = mend_boxes(shares, np.ones((len(shares), 2)))
    # A negative side swaps the corners; it holds no area, whatever the corners say.
    empty = mended.empty | (rows[:, 2:] <= 0).any(axis=1)
    outside = (np.abs(mended.boxes - shares) > _ROUNDING).any(axis=1) & ~empty
    repeated = find_repeated(np.column_stack([class_ids, rows])) & ~empty
    for at in np.flatnonzero(outside | empty | repeated):
        title = description.names[class_ids[at]]
        if outside[at]:
            collection.mends.append(Mend(name, "clipped", f"{title} reaches over the picture's edge", lines[at]))
        if empty[at]:
            collection.mends.append(Mend(name, "empty", f"{title} has no area", lines[at]))
        if repeated[at]:
            collection.mends.append(Mend(name, "repeated", f"{title} is given twice", lines[at]))
    keep = ~empty & ~repeated
    return Photo(name, picture, class_ids[keep], mended.boxes[keep] * np.tile(picture.size, 2), split)
