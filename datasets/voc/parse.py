"""Reading one Pascal VOC annotation file, safely: no entities, no DTD, nothing fetched, and bounds on everything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from maskdet.datasets.voc.annotation import Notice, VocAnnotation, VocObject
from maskdet.datasets.voc.box import CORNERS, check_corners
from maskdet.datasets.voc.plain import PlainObject, read_plain
from maskdet.datasets.voc.tree import check_name, make_filename, make_size, read_tree
from maskdet.errors import AnnotationError, SourceError
from maskdet.files.opening import open_file

__all__ = ["MAX_BYTES", "Notice", "VocAnnotation", "VocObject", "parse_voc", "read_tree"]

#: Some ten thousand boxes.
MAX_BYTES: Final = 4_000_000


def parse_voc(path: Path) -> VocAnnotation:
    """Read one annotation file.

    Objects are found at any depth; one that has no box is put around its polygon or turned box. One that has neither is
    left out, with a notice.

    Args:
        path: an XML file whose root is ``<annotation>``.

    Raises:
        AnnotationError: the file cannot be read, is too large, is not XML, declares entities or a DTD, is no
            annotation, has boxes outside of objects only, or an object without a name, without a number where a
            coordinate should be, or without a box and no other object. The message carries the line.
    """
    try:
        with open_file(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise AnnotationError(path, f"is larger than {MAX_BYTES // 1_000_000} MB: no Pascal VOC file")
            data = file.read()
    except OSError as error:
        raise AnnotationError(path, f"cannot be read: {error.strerror}") from error
    except SourceError as error:
        raise AnnotationError(path, error.reason) from error
    plain = read_plain(data)
    if plain is None:
        return read_tree(path, data)
    objects = tuple([_make_object(path, item) for item in plain.objects])
    return VocAnnotation(path, make_filename(path, plain.filename), make_size(plain.width, plain.height), objects)


def _make_object(path: Path, item: PlainObject) -> VocObject:
    name = check_name(path, item.name, item.line)
    try:
        box = check_corners([item.corners[corner] for corner in CORNERS])
    except ValueError as error:
        raise AnnotationError(path, f"object {name!r}: {error}", item.line) from error
    return VocObject(name, box, item.line)
