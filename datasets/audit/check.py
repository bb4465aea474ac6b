"""The audit of a data set where it lies, VOC or YOLO: what it holds, what was mended, what is alike, what leaks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.grouping.duplicates import Pair, PairKind, find_pairs, with_copies
from maskdet.datasets.grouping.folds import RANGES, FoldCount
from maskdet.datasets.grouping.groups import copy_links
from maskdet.datasets.photos.photo import ClassMap, Collection, LeftOut, Mend, Photo, describe_classes
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.division import split_by_lists
from maskdet.datasets.voc.read import read_voc
from maskdet.datasets.yolo.data_yaml import find_data_yaml, yaml_in
from maskdet.datasets.yolo.read import read_yolo
from maskdet.errors import DatasetError

SCHEMA: Final = "maskdet-audit/1"


@dataclass(frozen=True, slots=True)
class NamedPair:
    """Two photos that are alike, and the parts of the data set they are in."""

    first: str
    second: str
    kind: PairKind
    splits: tuple[str | None, str | None]

    @property
    def leaks(self) -> bool:
        """Whether the two lie in different parts."""
        return self.splits[0] != self.splits[1]


@dataclass(frozen=True, slots=True)
class PartCount:
    """Photos, those without a box, and boxes by class id of one part of a data set; ``all`` where it has no parts."""

    split: str
    photos: int
    background: int
    boxes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything found; ``pairs`` is None where alike photos were not searched for.

    ``folds`` counts what lies in each of them, where there are folds.
    ``difficult`` counts the boxes marked so, ``unknown`` those of each unknown class in photos left out for them.
    """

    layout: str
    names: tuple[str, ...]
    parts: tuple[PartCount, ...]
    mends: tuple[Mend, ...]
    left_out: tuple[LeftOut, ...]
    unannotated: tuple[str, ...]
    unlisted: tuple[str, ...]
    found_by_stem: int
    difficult: int
    unknown: dict[str, int]
    pairs: tuple[NamedPair, ...] | None
    folds: tuple[FoldCount, ...] = ()

    @property
    def mended(self) -> dict[str, int]:
        """Number of mends of each kind, the most frequent first."""
        return dict(Counter(mend.kind for mend in self.mends).most_common())

    @property
    def leaks(self) -> tuple[NamedPair, ...]:
        """Pairs across parts."""
        return tuple(pair for pair in self.pairs or () if pair.leaks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, without times and folders, so that the same data gives the same text."""
        parts = {
            part.split: {
                "photos": part.photos,
                "background": part.background,
                "boxes": dict(zip(self.names, part.boxes, strict=True)),
            }
            for part in self.parts
        }
        folds = [
            asdict(fold)
            | {
                "faces": dict(zip(self.names, fold.faces, strict=True)),
                "sizes": dict(zip(RANGES, fold.sizes, strict=True)),
            }
            for fold in self.folds
        ]
        return {
            "schema": SCHEMA,
            "layout": self.layout,
            "parts": parts,
            **({"folds": folds} if folds else {}),
            "mended": self.mended,
            "mends": [asdict(mend) for mend in self.mends],
            "left_out": [asdict(photo) for photo in self.left_out],
            "pictures_without_annotation": list(self.unannotated),
            "photos_in_no_split": list(self.unlisted),
            "pictures_found_by_stem": self.found_by_stem,
            "boxes_marked_difficult": self.difficult,
            "unknown_classes": self.unknown,
            "alike": None if self.pairs is None else [asdict(pair) | {"leaks": pair.leaks} for pair in self.pairs],
        }

    def to_json(self) -> str:
        """Return the audit as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"


def count_parts(photos: Sequence[Photo], classes: int = len(CLASS_NAMES)) -> tuple[PartCount, ...]:
    """Count photos and boxes part by part, in the order train, val, test, others."""
    rank = {"train": 0, "val": 1, "test": 2}
    table = PhotoTable.of(photos)
    found = [split or "all" for split in table.splits or [None] * len(table)]
    splits = sorted(set(found), key=lambda split: (rank.get(split, 3), split))
    number = {split: at for at, split in enumerate(splits)}
    part = np.array([number[split] for split in found], dtype=np.int64)
    width = max(classes, int(table.class_ids.max(initial=-1)) + 1)
    boxes = np.zeros((len(splits), width), dtype=np.int64)
    np.add.at(boxes, (part[table.owners], table.class_ids), 1)
    photos_in = np.bincount(part, minlength=len(splits))
    background = np.bincount(part[table.counts == 0], minlength=len(splits))
    columns = zip(splits, photos_in.tolist(), background.tolist(), boxes.tolist(), strict=True)
    return tuple(PartCount(split, count, empty, tuple(row)) for split, count, empty, row in columns)


def make_audit(
    collection: Collection,
    photos: Sequence[Photo],
    pairs: Sequence[Pair] | None,
    *,
    names: Sequence[str] = CLASS_NAMES,
    unlisted: Sequence[str] = (),
) -> Audit:
    """Put an audit together of what reading found, the photos with their splits, and pairs of indices into these.

    ``pairs`` is None where they were not searched for; ``unlisted`` names photos that a split by lists leaves out.
    """
    named = None
    if pairs is not None:
        named = tuple(
            NamedPair(
                photos[pair.first].name,
                photos[pair.second].name,
                pair.kind,
                (photos[pair.first].split, photos[pair.second].split),
            )
            for pair in pairs
        )
    return Audit(
        layout=collection.layout,
        names=tuple(names),
        parts=count_parts(photos, len(names)),
        mends=tuple(collection.mends),
        left_out=tuple(collection.left_out),
        unannotated=tuple(collection.unannotated),
        unlisted=tuple(unlisted),
        found_by_stem=collection.found_by_stem,
        difficult=collection.difficult,
        unknown=dict(collection.unknown.most_common()),
        pairs=named,
    )


def load(
    root: Path, *, classes: ClassMap | None = None, duplicates: bool = False, quiet: bool = False
) -> tuple[Collection, tuple[str, ...]]:
    """Read a VOC folder, a YOLO folder or a ``data.yaml``; unusable photos are listed and the rest is read.

    Photos of a VOC set with lists in ImageSets/Main carry their split.

    Returns:
        The data set and its class names.

    Raises:
        DatasetError: neither VOC nor YOLO, or nothing usable in it.
    """
    if not root.exists():
        raise DatasetError(root, "no such file or folder")
    description = yaml_in(root) if root.is_dir() else find_data_yaml(root)
    if description is not None:
        return read_yolo(description, thumbs=duplicates, quiet=quiet)
    options = ReadOptions(classes=classes or ClassMap(), keep_going=True, duplicates=duplicates, quiet=quiet)
    collection, layout = read_voc(root, options)
    photos = PhotoTable.of(collection.photos)
    if layout.lists is not None:
        try:
            listed = split_by_lists(layout, photos)
        except DatasetError:
            return collection, CLASS_NAMES  # incomplete lists say nothing about leaks
        collection.mends.extend(listed.strays)
        collection.photos = photos.with_splits(listed.splits)
    elif layout.parts:
        parts = [layout.part_of(name) for name in photos.names]
        collection.photos = photos.with_splits([None if part is None else part.split for part in parts])
    return collection, CLASS_NAMES


def check(root: Path, *, classes: ClassMap | None = None, duplicates: bool = True, quiet: bool = False) -> Audit:
    """Audit a VOC folder, a YOLO folder or a ``data.yaml``; ``duplicates`` searches for alike photos, and leaks.

    Raises:
        DatasetError: neither VOC nor YOLO, or nothing usable in it.
    """
    collection, names = load(root, classes=classes, duplicates=duplicates, quiet=quiet)
    pairs = None
    if duplicates:
        pairs = with_copies(
            find_pairs([photo.picture for photo in collection.photos], quiet=quiet), copy_links(collection.photos)
        )
    return make_audit(collection, collection.photos, pairs, names=names)


def trainers_notes(audit: Audit) -> Iterator[str]:
    """Yield what a training on a YOLO data set would do with it and people may not expect, a line each."""
    if audit.layout != "yolo":
        return
    if audit.names != CLASS_NAMES:
        yield f"note: {describe_classes(audit.names)}"
    there = {part.split for part in audit.parts}
    if missing := [split for split in ("train", "val") if split not in there]:
        yield f"note: no usable photo in {' and '.join(missing)}; maskdet train needs both train and val"
