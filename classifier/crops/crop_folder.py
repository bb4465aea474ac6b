"""Writing the crops of a data set into a folder: read, group, cut, all or nothing; and a summary for people.

The folder holds ``CLASS/PHOTO_FACE.png``, which loaders of one folder a class understand, ``manifest.csv``,
``crops.json``, which says how it was made, and ``contact_sheet.jpg``, which shows at a glance whether the crops of each
class show what the class says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from maskdet.classes import CLASS_COLOURS, CLASS_NAMES
from maskdet.classifier.crops.crop import STUDY_CROPS, Crop, CropOptions, iter_crops
from maskdet.classifier.crops.crop_set import name_groups
from maskdet.classifier.crops.manifest import BINARY_LABELS, CropRecord, format_manifest
from maskdet.datasets.audit.contact_sheet import encode_sheet
from maskdet.datasets.photos.photo import MEND_MEANINGS, Collection, LeftOut
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.errors import DatasetError
from maskdet.files.folder import OutputKind, check_target, whole_folder
from maskdet.imaging.sheet import PAPER, draw_sheet, fit
from maskdet.terminal.console import console, to_bytes
from maskdet.terminal.progress import track

_COLUMNS, _ROWS = 16, 3
_TILE, _GAP, _TITLE = 80, 4, 22


def choose_crops(class_ids: Sequence[int], count: int = _COLUMNS * _ROWS) -> list[int]:
    """Return the places of at most ``count`` crops of every class, spread evenly over all of that class, rising.

    >>> choose_crops([0, 0, 0, 0, 2], count=2)
    [0, 2, 4]
    """
    chosen = []
    for class_id in set(class_ids):
        places = [at for at, other in enumerate(class_ids) if other == class_id]
        number = min(count, len(places))
        chosen += [places[at * len(places) // number] for at in range(number)]
    return sorted(chosen)


def draw_crops(crops: Sequence[tuple[int, NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Draw crops, each a class id and (h, w, 3) uint8 BGR, class by class in tiles: (H, W, 3) uint8 BGR."""
    parts = []
    for class_id in sorted({class_id for class_id, _ in crops}):
        parts += [_title(class_id), _tiles([pixels for other, pixels in crops if other == class_id])]
    return np.concatenate(parts)


def _title(class_id: int) -> NDArray[np.uint8]:
    bar = np.full((_TITLE, _COLUMNS * (_TILE + _GAP), 3), PAPER, dtype=np.uint8)
    cv2.rectangle(bar, (2, 5), (14, 17), CLASS_COLOURS[class_id], cv2.FILLED)
    cv2.putText(bar, CLASS_NAMES[class_id], (20, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return bar


def _tiles(crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    fitted = [fit(pixels, (_TILE, _TILE)) for pixels in crops]
    return draw_sheet(fitted, size=(_TILE, _TILE), columns=_COLUMNS, gap=_GAP, edge=0, whole_rows=True)


MANIFEST_FILE, SUMMARY_FILE, SHEET_FILE = "manifest.csv", "crops.json", "contact_sheet.jpg"
CROP_FOLDER = OutputKind(
    "as a crop folder", (MANIFEST_FILE, SUMMARY_FILE), (MANIFEST_FILE, SUMMARY_FILE, SHEET_FILE, *CLASS_NAMES, ".*")
)
FORMAT: Final = "maskdet-crops/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CropFolderOptions(ReadOptions):
    """How to read and cut; alike photos are searched for and get one group unless told otherwise.

    So does the public data set's selfie series; ``groups`` is a CSV file ``name,group`` of more photos that share one.
    """

    crops: CropOptions = STUDY_CROPS
    duplicates: bool = True
    series: bool = True
    groups: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CropSummary:
    """What a crop folder holds: photos read, groups among the crops, faces by class id, how many mends of each kind."""

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
    collection, _ = read_voc(source, options)
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
        crops=crops,
        photos=len(collection.photos),
        groups=len({record.group for record in records}),
        faces=tuple(counts[class_id] for class_id in range(len(CLASS_NAMES))),
        mends=dict(sorted(Counter(mend.kind for mend in collection.mends).items())),
        left_out=tuple(collection.left_out),
    )


def print_crop_summary(summary: CropSummary) -> None:
    """Print crops of each class, how they were cut, and what was mended, to standard output."""
    screen = console()
    total = sum(summary.faces)
    table = Table("class", box=None, header_style="bold")
    for title in ("crops", "share", "study's label"):
        table.add_column(title, justify="right")
    for name, count, label in zip(CLASS_NAMES, summary.faces, BINARY_LABELS, strict=True):
        table.add_row(name, str(count), f"{count / total:.1%}", "–" if label is None else str(label))
    table.add_row("all", str(total), "", f"{summary.binary} used")
    screen.print(table)
    crops = summary.crops
    shape = "square around the box's centre" if crops.square else "the box"
    size = f"resized to {crops.side}×{crops.side} px" if crops.side else "as large as in the photo"
    screen.print(f"cut: {shape}, margin {crops.margin:g}, {size}")
    screen.print(f"{summary.photos} photos read; {summary.groups} groups of crops, each for one side of a split")
    if summary.mends:
        mends = Table("mended", "", box=None, header_style="bold")
        for kind, number in summary.mends.items():
            mends.add_row(str(number), MEND_MEANINGS[kind])
        screen.print(mends)
    if summary.left_out:
        screen.print(f"{len(summary.left_out)} photos left out")
