"""Tiling: a large picture seen in overlapping pieces, so that small faces reach the network at a size it knows.

The pieces (tiles) and the whole picture are each detected in, and the answers put together. A face no longer than the
overlap lies whole in at least one tile, so the tiles answer for those and the whole picture only for longer ones. A
face in an overlap is found twice, and one on a border is cut; ``merge_views`` brings both down to one box. The rules
and their numbers were chosen on mosaics of training photos.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.postprocess import Detections, non_maximum_suppression

#: Share of a tile that its neighbour sees too.
DEFAULT_OVERLAP: Final = 0.2

#: Boxes of one class from different views that overlap by more are one face. Lower than within a view, where it is the
#: detector's own threshold: two views place the edges of a face of a dozen pixels differently.
MERGE_IOU: Final = 0.5

#: A box that ends so near an inner border of its tile, in pixels of the picture, is taken for cut ...
CUT_MARGIN: Final = 2.0
#: ... and left out where another, uncut box holds this share of it.
COVERED: Final = 0.5

#: Tiles run at once on a GPU. On a CPU a batch is no faster than one by one and takes three times the memory.
GPU_BATCH: Final = 8

Image = npt.NDArray[np.uint8]


class View(NamedTuple):
    """What was found in one part of a picture.

    Attributes:
        window: (4,) int64, xyxy in pixels of the picture.
        found: boxes in pixels of the window.
    """

    window: npt.NDArray[np.int64]
    found: Detections


def tile_starts(length: int, size: int, overlap: float) -> list[int]:
    """Place tiles along one side of a picture, evenly, with as few tiles as the overlap allows.

    Args:
        length: the picture's side, pixels, at least 1.
        size: a tile's side, pixels, at least 1.
        overlap: least share of a tile that it has in common with the next, 0 to less than 1.

    Returns:
        First pixel of each tile; the last tile ends where the picture does. One 0 where the picture is no longer than
        a tile.

    >>> tile_starts(1000, 400, 0.2)
    [0, 300, 600]
    """
    if length <= size:
        return [0]
    step = max(size - int(np.ceil(size * overlap)), 1)
    count = -(-(length - size) // step)
    return [index * (length - size) // count for index in range(count + 1)]


def tile_grid(height: int, width: int, size: int, overlap: float = DEFAULT_OVERLAP) -> npt.NDArray[np.int64]:
    """Cover a picture with tiles.

    Args:
        height: of the picture, pixels.
        width: of the picture, pixels.
        size: a tile's side, pixels; a side of the picture that is shorter is taken whole.
        overlap: least share of a tile that it has in common with the next, 0 to less than 1.

    Returns:
        (N, 4) int64, xyxy in pixels of the picture, row by row.

    Raises:
        ValueError: a size below 1, or an overlap outside 0 to less than 1.

    >>> tile_grid(400, 600, 400, 0.5).tolist()
    [[0, 0, 400, 400], [200, 0, 600, 400]]
    """
    if size < 1 or not 0 <= overlap < 1:
        raise ValueError(f"a tile needs a size of 1 or more and an overlap from 0 to less than 1: {size}, {overlap}")
    return np.array(
        [
            (left, top, min(left + size, width), min(top + size, height))
            for top in tile_starts(height, size, overlap)
            for left in tile_starts(width, size, overlap)
        ],
        dtype=np.int64,
    )


def detect_tiled(
    detect: Callable[[Sequence[Image]], list[Detections]],
    image: Image,
    size: int,
    *,
    whole: Detections | None = None,
    overlap: float = DEFAULT_OVERLAP,
    iou: float = MERGE_IOU,
    agnostic: bool = False,
    at_once: int = 1,
) -> Detections:
    """Detect in the tiles of a picture and in the whole of it.

    Args:
        detect: finds faces in pictures, each (H, W, 3) uint8 BGR, in pixels of each.
        image: (H, W, 3) uint8 BGR; one no larger than a tile is seen whole only.
        size: a tile's side, pixels.
        whole: what was found in the whole picture already; None to ask ``detect``.
        overlap: least share of a tile that it has in common with the next, 0 to less than 1.
        agnostic: also where their classes differ.
        at_once: tiles given to ``detect`` together.
    """
    height, width = image.shape[:2]
    if whole is None:
        (whole,) = detect([image])
    if max(height, width) <= size:
        return whole
    views: list[View] = []
    grid = tile_grid(height, width, size, overlap)
    for start in range(0, len(grid), at_once):
        windows = grid[start : start + at_once]
        found = detect([image[top:bottom, left:right] for left, top, right, bottom in windows.tolist()])
        views += [View(window, one) for window, one in zip(windows, found, strict=True)]
    return merge_views(longer_than(whole, size * overlap), views, (height, width), iou=iou, agnostic=agnostic)


def longer_than(found: Detections, length: float) -> Detections:
    """Keep the boxes whose longer side exceeds ``length`` pixels."""
    long: npt.NDArray[np.bool_] = (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1) > length
    return found.take(long)


def merge_views(
    whole: Detections,
    tiles: Sequence[View],
    size: tuple[int, int],
    *,
    iou: float = MERGE_IOU,
    agnostic: bool = False,
) -> Detections:
    """Bring what was found in several views of a picture down to one box a face.

    A box cut by an inner border of its tile goes where an uncut box covers it; then NMS decides among the rest.

    Args:
        whole: found in the whole picture, in its pixels.
        size: (height, width) of the picture, pixels.
    """
    every = _join([whole, *(view.found._replace(boxes=_in_picture(view)) for view in tiles)])
    cut = np.concatenate([np.zeros(len(whole.boxes), np.bool_), *(is_cut(view, size) for view in tiles)])
    left = every.take(~(cut & _covered(every.boxes, cut)))
    # Classes are kept apart by moving each to a plane of its own, beside the picture.
    planes = left.boxes if agnostic else left.boxes + left.class_ids[:, None].astype(np.float32) * (max(size) + 1)
    return left.take(non_maximum_suppression(planes, left.confidences, iou))


def _join(parts: Sequence[Detections]) -> Detections:
    scores = [part.scores for part in parts if part.scores is not None]
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.confidences for part in parts]),
        np.concatenate([part.class_ids for part in parts]),
        np.concatenate(scores) if len(scores) == len(parts) else None,
    )


def _in_picture(view: View) -> npt.NDArray[np.float32]:
    moved: npt.NDArray[np.float32] = view.found.boxes + view.window[[0, 1, 0, 1]].astype(np.float32)
    return moved


def is_cut(view: View, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Say of each box of a tile whether it ends at a border that is not the picture's own.

    Args:
        size: (height, width) of the picture, pixels.

    Returns:
        (N,) bool.
    """
    height, width = size
    left, top, right, bottom = view.window.tolist()
    inner = np.array([left > 0, top > 0, right < width, bottom < height])
    boxes = view.found.boxes
    room = np.concatenate([boxes[:, :2], np.array([right - left, bottom - top]) - boxes[:, 2:]], axis=1)
    touching: npt.NDArray[np.bool_] = ((room <= CUT_MARGIN) & inner).any(axis=1)
    return touching


def _covered(boxes: npt.NDArray[np.float32], cut: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say of each box whether one that is not cut holds at least ``COVERED`` of its area.

    One by one: the pairs of a large crowd would take gigabytes at once.
    """
    covered = np.zeros(len(boxes), np.bool_)
    whole = boxes[~cut]
    for index in np.flatnonzero(cut):
        box = boxes[index]
        shared = np.clip(np.minimum(box[2:], whole[:, 2:]) - np.maximum(box[:2], whole[:, :2]), 0, None).prod(axis=1)
        covered[index] = bool((shared >= COVERED * np.prod(box[2:] - box[:2])).any())
    return covered
