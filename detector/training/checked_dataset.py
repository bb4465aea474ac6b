"""``CheckedDataset``: ultralytics' data set of photos and boxes that maskdet has read itself.

ultralytics would unpickle a ``.cache`` file that lies beside the labels, take an ``.npy`` beside a photo for the photo,
and write all of these, and photos that it mends, into the data set. Here nothing but photos and labels is read, and
nothing is written unless ``cache=disk`` asks for it.

Imports ultralytics, so it is itself imported only by ``maskdet.detector.training.trainer``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from ultralytics.data.dataset import YOLODataset

from maskdet.datasets.yolo.read import LabelledPicture

#: A file in a folder that cannot be: there is nothing in it to take for a photo.
_NOWHERE: Final = Path("/dev/null/nothing.npy")


class CheckedDataset(YOLODataset):  # type: ignore[misc]
    """Holds the photos that it is given, with the boxes that count."""

    def __init__(self, *args: Any, photos: Sequence[LabelledPicture], cache: Any = None, **kwargs: Any) -> None:
        """Set up as ultralytics does; ``photos`` stand for what it would read."""
        self._photos = photos
        self._arrays = cache == "disk"
        super().__init__(*args, cache=cache, **kwargs)

    @property
    def npy_files(self) -> list[Path]:
        """Where the pixels of each photo may be kept."""
        return self._npy_files

    @npy_files.setter
    def npy_files(self, files: list[Path]) -> None:
        self._npy_files = files if self._arrays else [_NOWHERE] * len(files)

    def get_img_files(self, img_path: Any) -> list[str]:
        """Return the photos' files, or the part of them that ``fraction=`` asks for."""
        part = self.fraction
        count = part if isinstance(part, int) else max(1, round(len(self._photos) * part))
        return [str(photo.picture.path) for photo in self._photos[:count]]

    def get_labels(self) -> list[dict[str, Any]]:
        """Return the boxes of each photo as ultralytics holds them: those without area and repeated ones left out."""
        return [_label(photo) for photo in self._photos[: len(self.im_files)]]


def _label(photo: LabelledPicture) -> dict[str, Any]:
    width, height = photo.picture.size
    faces = np.zeros((0, 5), np.float32)
    if photo.labels is not None:
        kept = ~photo.labels.repeated & photo.labels.has_area
        faces = np.column_stack([photo.labels.class_ids, photo.labels.rows])[kept].astype(np.float32)
    return {
        "im_file": str(photo.picture.path),
        "shape": (height, width),
        "cls": faces[:, :1],
        "bboxes": faces[:, 1:],
        "segments": [],
        "keypoints": None,
        "normalized": True,
        "bbox_format": "xywh",
    }
