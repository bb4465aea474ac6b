"""Writing a data set's crops into a folder: read, group, cut, all or nothing.

The folder holds ``CLASS/PHOTO_FACE.png``, which loaders of one folder a class understand, ``manifest.csv``,
``crops.json``, which says how it was made, and ``contact_sheet.jpg``, which shows some of every class.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crop_sheet import choose_crops, draw_crops
from maskdet.classifier.crops import STUDY_CROPS, Crop, CropOptions, iter_crops
from maskdet.classifier.manifest import CropRecord, format_manifest
from maskdet.classifier.photo_groups import name_groups
from maskdet.console import to_bytes
from maskdet.datasets.class_map import ClassMap
from maskdet.datasets.contact_sheet import encode_sheet
from maskdet.datasets.output_folder import OutputKind, check_target, whole_folder
from maskdet.datasets.photo import Collection, LeftOut
from maskdet.datasets.read_voc import ReadOptions, read_voc
from maskdet.datasets.voc_frame import Coordinates
from maskdet.errors import DatasetError
from maskdet.progress import track

MANIFEST_FILE, SUMMARY_FILE, SHEET_FILE = "manifest.csv", "crops.json", "contact_sheet.jpg"
CROP_FOLDER = OutputKind(
    "as a crop folder", (MANIFEST_FILE, SUMMARY_FILE), (MANIFEST_FILE, SUMMARY_FILE, SHEET_FILE, *CLASS_NAMES, ".*")
)
FORMAT: Final = "maskdet-crops/1"


@dataclass(frozen=True, slots=True)
class CropFolderOptions:
    """How to make a crop folder.

    Attributes:
        crops: how to cut.
        classes: resolves class names.
        skip_unknown: leave boxes of unknown classes out.
        skip_difficult: leave boxes marked as difficult out.
        keep_going: leave unusable photos out.
        one_based: xmin and ymin are 1-based pixel numbers.
        coordinates: what boxes are written in.
        duplicates: search for alike photos and give them one group.
        series: give the public data set's selfie series one group.
        groups: CSV file ``name,group`` of more photos that share a group.
        overwrite: replace an earlier crop folder.
        quiet: no progress bar.
    """

    crops: CropOptions = STUDY_CROPS
    classes: ClassMap = field(default_factory=ClassMap)
    skip_unknown: bool = False
    skip_difficult: bool = False
    keep_going: bool = False
    one_based: bool = False
    coordinates: Coordinates = "auto"
    duplicates: bool = True
    series: bool = True
    groups: Path | None = None
    overwrite: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class CropSummary:
    """What a crop folder holds.

    Attributes:
        crops: how they were cut.
        photos: photos read.
        groups: different groups among the crops.
        faces: crops of each class, by class id.
        mends: what was put right in the annotations: how many of each kind.
        left_out: photos that could not be used.
    """

    crops: CropOptions
    photos: int
    groups: int
    faces: tuple[int, ...]
    mends: dict[str, int]
    left_out: tuple[LeftOut, ...]

    @property
    def binary(self) -> int:
        """Crops that take part in the study's two classes."""
        return self.faces[0] + self.faces[1]

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``crops.json``."""
        return {
            "format": FORMAT,
            "options": asdict(self.crops),
            "photos": self.photos,
            "groups": self.groups,
            "crops": sum(self.faces),
            "binary": self.binary,
            "classes": dict(zip(CLASS_NAMES, self.faces, strict=True)),
            "mends": self.mends,
            "left_out": [asdict(photo) for photo in self.left_out],
        }


def write_crops(source: Path, out: Path, options: CropFolderOptions | None = None) -> CropSummary:
    """Cut every annotated face of the VOC data set in ``source`` into the new folder ``out``.

    Raises:
        AnnotationError, SourceError: the first unusable photo, unless ``keep_going``.
        DatasetError: the layout or the target is wrong, or there is no face.
    """
    options = options or CropFolderOptions()
    check_target(out, source, overwrite=options.overwrite, kind=CROP_FOLDER)
    reading = ReadOptions(
        classes=options.classes,
        skip_unknown=options.skip_unknown,
        skip_difficult=options.skip_difficult,
        keep_going=options.keep_going,
        one_based=options.one_based,
        coordinates=options.coordinates,
        thumbs=options.duplicates,
        quiet=options.quiet,
    )
    collection, _ = read_voc(source, reading)
    photos = collection.photos
    faces = sum(len(photo.boxes) for photo in photos)
    if not faces:
        raise DatasetError(source, "no annotated face in it")
    groups = name_groups(
        photos, duplicates=options.duplicates, series=options.series, groups=options.groups, quiet=options.quiet
    )
    with whole_folder(out) as folder:
        for class_id in sorted({int(index) for photo in photos for index in photo.class_ids}):
            (folder / CLASS_NAMES[class_id]).mkdir()
        records: list[CropRecord] = []
        shown = set(choose_crops([int(class_id) for photo in photos for class_id in photo.class_ids]))
        sheet = []
        crops = iter_crops(photos, groups, options.crops)
        for crop in track(crops, label="cutting", total=faces, quiet=options.quiet):
            _write_crop(folder, crop)
            if len(records) in shown:
                sheet.append((crop.record.class_id, crop.pixels))
            records.append(crop.record)
        summary = _summarise(collection, records, options.crops)
        # Bytes, since text mode would write other line ends on Windows.
        (folder / MANIFEST_FILE).write_bytes(to_bytes(format_manifest(records)))
        text = json.dumps(summary.to_dict(), indent=1, ensure_ascii=False) + "\n"
        (folder / SUMMARY_FILE).write_bytes(to_bytes(text))
        (folder / SHEET_FILE).write_bytes(encode_sheet(draw_crops(sheet)))
    return summary


def _write_crop(folder: Path, crop: Crop) -> None:
    path = folder / crop.record.crop
    try:
        path.parent.mkdir(parents=True, exist_ok=True)  # a photo's folders are part of its crops' names
        path.write_bytes(cv2.imencode(".png", crop.pixels)[1].tobytes())
    except OSError as error:
        raise DatasetError(crop.record.crop, f"cannot be written ({error.strerror})") from error


def _summarise(collection: Collection, records: list[CropRecord], crops: CropOptions) -> CropSummary:
    counts = Counter(record.class_id for record in records)
    return CropSummary(
        crops,
        len(collection.photos),
        len({record.group for record in records}),
        tuple(counts[class_id] for class_id in range(len(CLASS_NAMES))),
        dict(sorted(Counter(mend.kind for mend in collection.mends).items())),
        tuple(collection.left_out),
    )
