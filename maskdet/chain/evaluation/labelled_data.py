"""Labelled photos to score on: a split of a YOLO data set, or a whole Pascal VOC folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maskdet.datasets.photos.photo import Collection
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth, read_split
from maskdet.errors import DatasetError

#: What ``LabelledSplit.split`` says of a VOC folder, which has no splits that maskdet reads.
WHOLE: Final = "all"


def read_labelled(data: str | Path, split: str | None = None) -> LabelledSplit:
    """Read photos and labels; a folder without a ``data.yaml`` is read as ``maskdet convert`` reads it.

    Args:
        data: a ``data.yaml``, its folder, or a Pascal VOC folder.
        split: its key in ``data.yaml``, else ``"val"``; a VOC folder has none.

    Raises:
        DatasetError: it cannot be used for scoring, or a split of a VOC folder was asked for.
        AnnotationError: a label that cannot be used.
        SourceError: a photo that cannot be decoded.
    """
    path = Path(data)
    if not path.is_dir() or (path / "data.yaml").is_file():
        return read_split(path, split or "val")
    if split is not None:
        raise DatasetError(path, "no data.yaml in it; a Pascal VOC folder has no splits and is scored as a whole")
    collection, _ = read_voc(path, ReadOptions(quiet=True))
    return from_collection(collection, path)


def from_collection(collection: Collection, folder: Path) -> LabelledSplit:
    """Return a data set at hand as one split.

    Raises:
        DatasetError: no face is labelled in it.
    """
    photos = collection.photos
    if not any(len(photo.class_ids) for photo in photos):
        raise DatasetError(folder, "has no labelled faces")
    return LabelledSplit(
        folder.resolve().name,
        WHOLE,
        tuple(photo.picture.path for photo in photos),
        tuple(Truth(photo.boxes, photo.class_ids) for photo in photos),
        sum(mend.kind == "repeated" for mend in collection.mends),
    )
