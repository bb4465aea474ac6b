"""From what a chunk of annotations says to photos with boxes inside their pictures, and what was mended on the way.

Boxes may have been drawn on the picture, on a copy of another size, or on the picture as stored. They are moved only
where that cannot be wrong: ``<size>`` has the shape of the picture up to rounding, and boxes fit it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.photos.mend import MendedBoxes, below_a_pixel, find_repeated, mend_boxes, turn_boxes
from maskdet.datasets.photos.photo import Mend
from maskdet.datasets.photos.photo_table import PhotoTable, facts_of
from maskdet.datasets.photos.picture_file import Picture
from maskdet.datasets.voc.annotation import VocAnnotation, VocObject
from maskdet.errors import AnnotationError, MaskdetError

#: auto    pixels of ``<size>``, scaled where the picture is larger or smaller; shares are refused
#: pixels  pixels of the picture, whatever ``<size>`` says
#: shares  as auto, and files whose boxes all lie within 0 … 1 are shares of the picture's width and height
Coordinates = Literal["auto", "pixels", "shares"]

Size = tuple[int, int]

#: How far out of 0 … 1 tools write shares.
SHARE_SLACK: Final = 0.01


class Frame(NamedTuple):
    """How to bring boxes onto the upright picture: first scale x and y, then turn them with the picture as stored."""

    scale: tuple[float, float] = (1.0, 1.0)
    turned: bool = False


def find_frame(size: Size | None, picture: Picture, boxes: NDArray[np.float64]) -> Frame:
    """Tell what (N, 4) boxes, two opposite corners as written, were drawn on; ``size`` is what ``<size>`` says.

    Raises:
        ValueError: that cannot be told for certain; says why.
    """
    if size is None or size == picture.size:
        return Frame()
    may_turn = turns(picture)
    if may_turn and size == picture.stored_size:
        return Frame(turned=True)
    stated, real = (f"{width}×{height}" for width, height in (size, picture.size))
    frames = [
        Frame((target[0] / size[0], target[1] / size[1]), turned)
        for target, turned in ((picture.size, False), (picture.stored_size, True))
        if (may_turn or not turned) and same_shape(size, target)
    ]
    if len(frames) != 1:
        raise ValueError(f"<size> {stated} has another shape than the picture, {real}, so boxes cannot be placed")
    if len(boxes):
        beyond = np.maximum(boxes[:, :2], boxes[:, 2:]).max(axis=0) - size
        if (beyond > np.maximum(1.0, 0.02 * np.array(size))).any():
            raise ValueError(f"boxes reach beyond <size> {stated}, and the picture has {real}: one of them is wrong")
    return frames[0]


def turns(picture: Picture) -> bool:
    """Say whether a picture's width and height change places as it is turned upright, and differ."""
    return picture.orientation >= 5 and picture.stored_size != picture.size


def same_shape(first: Size, second: Size) -> bool:
    """Say whether one picture can be a scaled copy of the other: sides by one factor, up to a pixel of the smaller.

    >>> same_shape((96, 72), (192, 144)), same_shape((133, 100), (400, 301)), same_shape((96, 72), (72, 96))
    (True, True, False)
    """
    small, large = sorted((first, second), key=lambda size: size[0] * size[1])
    lowest = max((side - 1) / whole for side, whole in zip(small, large, strict=True))
    highest = min((side + 1) / whole for side, whole in zip(small, large, strict=True))
    return lowest < highest


def shares_only(boxes: NDArray[np.float64], owner: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return (count,) bool: which annotations have all their boxes within 0 … 1, so that they are shares, not pixels.

    Of (N, 4) boxes as written, each with its annotation in ``owner``; boxes without any area say nothing.

    >>> shares_only(np.array([[0.1, 0.2, 0.5, 1.0], [0.1, 0.2, 8.0, 9.0]]), np.array([0, 1]), 3).tolist()
    [True, False, False]
    """
    area = (boxes[:, :2] != boxes[:, 2:]).all(axis=1)
    inside = ((boxes >= -SHARE_SLACK) & (boxes <= 1 + SHARE_SLACK)).all(axis=1)
    within = np.bincount(owner[area & inside], minlength=count)
    return np.asarray((within > 0) & (np.bincount(owner[~inside], minlength=count) == 0))


@dataclass(frozen=True, slots=True)
class Entry:
    """A usable file, ``number`` in its chunk: annotation, picture, and the objects kept, each with its class id."""

    number: int
    name: str
    annotation: VocAnnotation
    file: str
    picture: Picture
    objects: list[tuple[VocObject, int]]


@dataclass(frozen=True, slots=True)
class _Boxes:
    """The B boxes of N entries: of each its object, its entry, its class id, and (B, 4) float64 as written."""

    objects: list[VocObject]
    owner: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    written: NDArray[np.float64]

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> _Boxes:
        counts = [len(entry.objects) for entry in entries]
        objects = [item for entry in entries for item, _ in entry.objects]
        return cls(
            objects,
            np.repeat(np.arange(len(entries)), counts),
            np.array([index for entry in entries for _, index in entry.objects], dtype=np.int64),
            np.array([item.box for item in objects], dtype=np.float64).reshape(-1, 4),
        )


def find_frames(entries: Sequence[Entry], coordinates: Coordinates) -> tuple[dict[int, Frame], dict[int, MaskdetError]]:
    """Tell on what the boxes of each entry were drawn, where not on its picture; and why entries cannot be used."""
    boxes = _Boxes.of(entries)
    shares = shares_only(boxes.written, boxes.owner, len(entries)).tolist()
    frames: dict[int, Frame] = {}
    failed: dict[int, MaskdetError] = {}
    for at, entry in enumerate(entries):
        path, picture, size = entry.annotation.path, entry.picture, entry.annotation.size
        may_turn = size == picture.stored_size and turns(picture)
        if shares[at] and coordinates == "shares":
            width, height = picture.stored_size if may_turn else picture.size
            frames[at] = Frame((float(width), float(height)), may_turn)
        elif shares[at] and coordinates == "auto":
            reason = "all boxes lie within 0 … 1, which are shares of the picture, not pixels: add --coordinates shares"
            failed[at] = AnnotationError(path, reason)
        elif size == picture.size:
            continue
        elif coordinates == "pixels":
            frames[at] = Frame(turned=may_turn)
        else:
            try:
                # Without boxes, there is nothing to place.
                frames[at] = find_frame(size, picture, boxes.written[boxes.owner == at]) if entry.objects else Frame()
            except ValueError as error:
                way = "mend <size>, or add --coordinates pixels where the boxes are the picture's own pixels"
                failed[at] = AnnotationError(path, f"{error}: {way}")
    return frames, failed


def make_photos(
    folder: Path, entries: Sequence[Entry], frames: dict[int, Frame], *, one_based: bool, thumbs: bool
) -> tuple[PhotoTable, dict[int, list[Mend]]]:
    """Mend the boxes of all entries at once, on the frames of ``find_frames``; return the mends by file number."""
    boxes = _Boxes.of(entries)
    owner, objects = boxes.owner, boxes.objects
    upright = boxes.written.copy()
    if one_based:
        # The lower corner is the one that is inclusive, wherever it stands.
        swapped = (upright[:, :2] > upright[:, 2:]).astype(np.float64)
        upright -= np.concatenate([1.0 - swapped, swapped], axis=1)
    counts = np.bincount(owner, minlength=len(entries))
    ends = np.cumsum(counts)
    for at, frame in frames.items():
        span = slice(ends[at] - counts[at], ends[at])
        upright[span] *= np.tile(frame.scale, 2)
        if frame.turned:
            picture = entries[at].picture
            upright[span] = turn_boxes(upright[span], picture.stored_size, picture.orientation)
    facts = facts_of([entry.picture for entry in entries])
    sizes = facts[owner, :2].astype(np.float64)
    mended = mend_boxes(upright, sizes)
    mends = {entries[at].number: list(_size_mends(entries[at], frame)) for at, frame in frames.items()}
    repeated = find_repeated(np.column_stack([owner, boxes.class_ids, mended.boxes])) & ~mended.empty
    conflict = find_repeated(np.column_stack([owner, mended.boxes])) & ~repeated & ~mended.empty
    tiny = below_a_pixel(mended.boxes, sizes) & ~mended.empty & ~repeated
    scaled = np.isin(owner, [at for at, frame in frames.items() if frame.scale != (1.0, 1.0)])
    outlined = np.array([item.outline is not None for item in objects], dtype=bool)
    flags = (mended.swapped, mended.clipped, mended.empty, repeated, conflict, tiny, scaled, outlined)
    for at in np.flatnonzero(np.any(flags, axis=0)).tolist():
        entry = entries[owner[at]]
        told = {kind: bool(flag[at]) for kind, flag in zip(_FLAGS, flags, strict=True)}
        mends.setdefault(entry.number, []).extend(_box_mends(entry, objects[at], mended, at, told))
    keep = ~mended.empty & ~repeated
    photos = PhotoTable(
        folder,
        [entry.name for entry in entries],
        [entry.file for entry in entries],
        facts,
        np.cumsum(np.bincount(owner[keep], minlength=len(entries))),
        boxes.class_ids[keep],
        mended.boxes[keep],
        marks=[(entry.picture.sha256, entry.picture.thumb) for entry in entries] if thumbs else None,
    )
    return photos, mends


def _say_scaled(entry: Entry) -> str:
    (width, height), size = entry.picture.size, entry.annotation.size
    if size is None or all(max(item.box) <= 1 + SHARE_SLACK for item, _ in entry.objects):
        return "written as shares of the picture"
    return f"drawn on {size[0]}×{size[1]}, the picture has {width}×{height}"


def _size_mends(entry: Entry, frame: Frame) -> Iterator[Mend]:
    name, size, picture = entry.name, entry.annotation.size, entry.picture
    width, height = picture.size
    if frame.turned:
        yield Mend(name, "turned", f"boxes turned with the picture (EXIF orientation {picture.orientation})")
    elif size is None:
        yield Mend(name, "size", f"<size> missing or zero: taken from the picture, {width}×{height}")
    elif size != picture.size and frame.scale == (1.0, 1.0):
        yield Mend(name, "size", f"<size> {size[0]}×{size[1]} is wrong: the picture has {width}×{height}")


_FLAGS = ("swapped", "clipped", "empty", "repeated", "conflict", "tiny", "scaled", "outlined")


def _box_mends(entry: Entry, item: VocObject, mended: MendedBoxes, at: int, told: dict[str, bool]) -> Iterator[Mend]:
    name = entry.name
    dropped = told["empty"] or told["repeated"]
    box = tuple(mended.boxes[at].tolist())
    after = None if dropped else (box[0], box[1], box[2], box[3])
    if told["scaled"]:
        yield Mend(name, "scaled", _say_scaled(entry), item.line, item.box, after)
    if told["outlined"]:
        yield Mend(name, "polygon", f"{item.name}: {item.outline}", item.line, None, after)
    if told["swapped"]:
        yield Mend(name, "swapped", "corners in the wrong order", item.line, item.box, after)
    if told["clipped"]:
        yield Mend(name, "clipped", "reached over the picture's edge", item.line, item.box, after)
    if told["empty"]:
        yield Mend(name, "empty", f"{item.name} without area dropped", item.line, item.box)
    if told["repeated"]:
        yield Mend(name, "repeated", f"{item.name} given twice, one dropped", item.line, item.box)
    if told["tiny"]:
        yield Mend(name, "tiny", f"{item.name} is less than a pixel wide or high", item.line, item.box, after)
    if told["conflict"]:
        yield Mend(name, "conflict", "the same box has two classes, both kept", item.line, item.box, after)
