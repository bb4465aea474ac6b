"""A labelled split ready to be scored: its photos, and each photo's true boxes in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.picture import look_at
from maskdet.datasets.yolo import find_data_yaml, from_yolo, label_path, read_data_yaml, read_labels
from maskdet.errors import AnnotationError, DatasetError

#: Shares of the photo may pass its edge by this much: the tolerance of ultralytics' label check.
EDGE_TOLERANCE: Final = 0.01


class Truth(NamedTuple):
    """The labelled faces of one photo.

    Attributes:
        boxes: (N, 4) float64, xyxy in pixels of the upright photo.
        class_ids: (N,) int64.
    """

    boxes: npt.NDArray[np.float64]
    class_ids: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSplit:
    """One split of a YOLO data set.

    Attributes:
        data: folder and name of its ``data.yaml``, such as ``"public/data.yaml"``; never a whole path.
        split: ``"train"``, ``"val"`` or ``"test"``.
        photos: picture files, sorted.
        truths: one a photo, in the same order.
        repeated: how many label lines said what another line of their file says; each such face counts once.
    """

    data: str
    split: str
    photos: tuple[Path, ...]
    truths: tuple[Truth, ...]
    repeated: int = 0


def read_split(data: str | Path, split: str = "val") -> LabelledSplit:
    """Read a split's photos and labels.

    A photo without a label file has no faces, as in YOLO. A line that repeats another of its file is left out, as
    ultralytics does, and counted.

    Args:
        data: a ``data.yaml``, or the folder that holds one.
        split: its key there.

    Raises:
        DatasetError: no such file or split, other class names than ``CLASS_NAMES``, or nothing to score in it.
        AnnotationError: a label line that cannot be used, with its number.
        SourceError: a photo that cannot be decoded.
    """
    path = find_data_yaml(data)
    described = read_data_yaml(path)
    if described.names != CLASS_NAMES:
        raise DatasetError(
            path, f"its classes are {', '.join(described.names)}; scoring needs {', '.join(CLASS_NAMES)}, in this order"
        )
    if split not in described.splits:
        raise DatasetError(path, f"has no split {split!r}; it has {', '.join(described.splits)}")
    photos = described.pictures(split)
    if not photos:
        raise DatasetError(path, f"split {split!r} has no photos")
    truths, repeated = [], 0
    for photo in photos:
        truth, repeats = _read_truth(photo)
        truths.append(truth)
        repeated += repeats
    if not any(len(truth.class_ids) for truth in truths):
        raise DatasetError(path, f"split {split!r} has no labelled faces: its labels belong in {_folder(photos[0])}")
    return LabelledSplit(f"{path.resolve().parent.name}/{path.name}", split, tuple(photos), tuple(truths), repeated)


def _folder(photo: Path) -> Path:
    return label_path(photo).parent


def _read_truth(photo: Path) -> tuple[Truth, int]:
    """Return a photo's truth and how many repeated lines were left out."""
    width, height = look_at(photo).size
    labels = label_path(photo)
    if not labels.is_file():
        return Truth(np.zeros((0, 4)), np.zeros(0, np.int64)), 0
    class_ids, rows, lines = read_labels(labels)
    for class_id, row, line in zip(class_ids.tolist(), rows, lines, strict=True):
        if class_id >= len(CLASS_NAMES):
            raise AnnotationError(labels, f"class {class_id}: the last one is {len(CLASS_NAMES) - 1}", line)
        if row.min() < -EDGE_TOLERANCE or row.max() > 1 + EDGE_TOLERANCE:
            raise AnnotationError(labels, "values must be shares of the photo's width and height, 0 to 1", line)
        if row[2:].min() <= 0:
            raise AnnotationError(labels, "the box has no area", line)
    _, first = np.unique(np.column_stack([class_ids, rows]), axis=0, return_index=True)
    kept = np.sort(first)
    return Truth(from_yolo(rows[kept], (width, height)), class_ids[kept]), len(class_ids) - len(kept)
