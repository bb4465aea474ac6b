"""A photo and its labels as the trainer sees them: the one view that training, scoring and the audit share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.datasets.photos.picture_file import MIN_SIDE, Picture, look_at_all
from maskdet.datasets.yolo.data_yaml import DataYaml, find_data_yaml, read_data_yaml
from maskdet.datasets.yolo.labels import Labels, label_path, read_labels
from maskdet.errors import AnnotationError, DatasetError, SourceError

#: Kinds that ultralytics trains on.
_TRAINED: Final = frozenset({"JPEG", "PNG", "BMP", "TIFF", "WebP", "JPEG 2000", "AVIF", "HEIC"})


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """A usable photo.

    Attributes:
        picture: the photo.
        labels: what its label file holds; None where there is no such file, which means no faces.
    """

    picture: Picture
    labels: Labels | None


def read_pictures(
    files: Sequence[Path], description: DataYaml, *, thumbs: bool = False, single_class: bool = False
) -> Iterator[LabelledPicture | AnnotationError | SourceError]:
    """Read photos and their labels.

    Args:
        files: the photos.
        description: of their data set.
        thumbs: keep thumbnails for the search for duplicates.
        single_class: every class number counts as 0.

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
    """Return the usable photos of a data set's split ``train``, in the trainer's order.

    Args:
        data: a ``data.yaml``, or the folder that holds one.
        need: who needs them and why, the end of the message where there are none.

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
