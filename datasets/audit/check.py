"""Auditing a data set where it lies: VOC or YOLO, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.audit.findings import Audit, make_audit
from maskdet.datasets.grouping.duplicates import find_pairs, with_copies
from maskdet.datasets.grouping.groups import copy_links
from maskdet.datasets.photos.class_map import ClassMap, describe_classes
from maskdet.datasets.photos.photo import Collection
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.lists import split_by_lists
from maskdet.datasets.voc.read import read_voc
from maskdet.datasets.yolo.data_yaml import find_data_yaml, yaml_in
from maskdet.datasets.yolo.read import read_yolo
from maskdet.errors import DatasetError


def load(
    root: Path, *, classes: ClassMap | None = None, thumbs: bool = False, quiet: bool = False
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
        return read_yolo(description, thumbs=thumbs, quiet=quiet)
    options = ReadOptions(classes=classes or ClassMap(), keep_going=True, thumbs=thumbs, quiet=quiet)
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
    """Audit a data set.

    Args:
        root: a VOC folder, a YOLO folder or a ``data.yaml``.
        classes: resolves class names of a VOC set.
        duplicates: search for alike photos, and so for leaks.
        quiet: no progress bar.

    Raises:
        DatasetError: neither VOC nor YOLO, or nothing usable in it.
    """
    collection, names = load(root, classes=classes, thumbs=duplicates, quiet=quiet)
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
