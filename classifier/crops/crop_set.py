"""Every face of a data set in memory, with enough of its surroundings to cut it looser, tighter or shifted.

Photos whose crops belong on one side of a split are a group, and named as such.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.classifier.crops.crop import CropOptions, crop_records
from maskdet.classifier.crops.manifest import CropRecord
from maskdet.classifier.crops.window import crop_windows, cut
from maskdet.datasets.grouping.duplicates import find_pairs
from maskdet.datasets.grouping.groups import group_links, merge_groups
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import read_pixels
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.errors import DatasetError
from maskdet.terminal.progress import track


def name_groups(
    photos: Sequence[Photo],
    *,
    duplicates: bool = True,
    series: bool = True,
    groups: Path | None = None,
    quiet: bool = False,
) -> list[str]:
    """Return each photo's group, called after the group's first photo (its folders and file name without suffix).

    Photos are grouped that are alike (found by their thumbnails), that belong to the public data set's selfie series,
    or that a CSV file ``name,group`` names together.

    Raises:
        DatasetError: the file of groups cannot be used.
    """
    pairs = find_pairs([photo.picture for photo in photos], quiet=quiet) if duplicates else []
    links = group_links(photos, [(pair.first, pair.second) for pair in pairs], series=series, file=groups)
    numbers = merge_groups(len(photos), links)
    names: dict[int, str] = {}
    titles = [photo.name[: photo.name.rfind("/") + 1] + photo.picture.path.stem for photo in photos]
    return [names.setdefault(number, title) for number, title in zip(numbers, titles, strict=True)]


#: Kept around each box, as a fraction of its sides: a square window of a box twice as high as wide, its margin and a
#: shift still lie inside.
CONTEXT: Final = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class CropSet:
    """N faces.

    Attributes:
        records: what the manifest says of each.
        patches: (h, w, 3) uint8 BGR each: the face and its surroundings, as far as the photo goes.
        boxes: (N, 4) float64 xyxy, the face in its patch, in pixels.
        photos: every photo read, with or without a face.
        groups: for each photo its group.
    """

    records: tuple[CropRecord, ...]
    patches: tuple[NDArray[np.uint8], ...]
    boxes: NDArray[np.float64]
    photos: tuple[Photo, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.records)

    @property
    def class_ids(self) -> NDArray[np.int64]:
        """(N,) int64, index into ``CLASS_NAMES``."""
        return np.array([record.class_id for record in self.records], dtype=np.int64)

    def cut(
        self, index: int, options: CropOptions, side: int | None = None, box: NDArray[np.float64] | None = None
    ) -> NDArray[np.uint8]:
        """Return one face's crop, as ``iter_crops`` cuts it from the photo, resized to ``side`` pixels if given.

        ``box``, (4,) xyxy in the patch's pixels with an area, is cut in place of the annotated one; the options' own
        ``side`` is not used.
        """
        patch = self.patches[index]
        height, width = patch.shape[:2]
        face = self.boxes[index] if box is None else np.clip(box, 0, [width, height, width, height])
        window = crop_windows(face[None], (width, height), margin=options.margin, square=options.square)[0]
        return cut(patch, window, side)

    def fingerprint(self) -> str:
        """Return a checksum of names, boxes and pixels, in 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for record, patch in zip(self.records, self.patches, strict=True):
            digest.update(f"{record.crop} {record.box} {record.class_id} {patch.shape}".encode())
            digest.update(patch.tobytes())
        return digest.hexdigest()[:16]


def read_crop_set(source: Path, *, quiet: bool = False) -> CropSet:
    """Read a VOC data set, group its photos and cut every face with its surroundings.

    Raises:
        AnnotationError, SourceError: the first unusable photo.
        DatasetError: the layout is wrong, or there is no face.
    """
    collection, _ = read_voc(source, ReadOptions(duplicates=True, quiet=quiet))
    photos = collection.photos
    if not any(len(photo.boxes) for photo in photos):
        raise DatasetError(source, "no annotated face in it")
    groups = name_groups(photos, quiet=quiet)
    faces = list(track(_patches(photos, groups), label="cutting", total=_count(photos), quiet=quiet))
    records, patches, boxes = zip(*faces, strict=True)
    return CropSet(records, patches, np.array(boxes, dtype=np.float64), tuple(photos), tuple(groups))


def _count(photos: Sequence[Photo]) -> int:
    return sum(len(photo.boxes) for photo in photos)


def _patches(
    photos: Sequence[Photo], groups: Sequence[str]
) -> Iterator[tuple[CropRecord, NDArray[np.uint8], NDArray[np.float64]]]:
    for photo, group in zip(photos, groups, strict=True):
        if not len(photo.boxes):
            continue
        image = read_pixels(photo.picture.path)
        height, width = image.shape[:2]
        windows = crop_windows(photo.boxes, (width, height), margin=CONTEXT)
        for record, window, box in zip(crop_records(photo, group), windows, photo.boxes, strict=True):
            yield record, cut(image, window), box - np.tile(window[:2], 2)
