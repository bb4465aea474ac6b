"""On what the boxes of an annotation were drawn: the picture, a copy of another size, or the picture as stored.

Boxes are moved only where that cannot be wrong: ``<size>`` has the picture's shape up to rounding, and boxes fit it.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.photos.picture_file import Picture

#: auto    pixels of ``<size>``, scaled where the picture is larger or smaller; shares are refused
#: pixels  pixels of the picture, whatever ``<size>`` says
#: shares  as auto, and files whose boxes all lie within 0 … 1 are shares of the picture's width and height
Coordinates = Literal["auto", "pixels", "shares"]

Size = tuple[int, int]

#: How far out of 0 … 1 tools write shares.
SHARE_SLACK: Final = 0.01


class Frame(NamedTuple):
    """How to bring boxes onto the upright picture: first scale, then turn.

    Attributes:
        scale: factors for x and y.
        turned: the boxes lie on the picture as stored and turn with it.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    turned: bool = False


def find_frame(size: Size | None, picture: Picture, boxes: NDArray[np.float64]) -> Frame:
    """Tell what the boxes were drawn on.

    Args:
        size: what ``<size>`` says; None where it says nothing.
        picture: the picture.
        boxes: (N, 4) float64, two opposite corners as written.

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
    """Tell which annotations have all their boxes within 0 … 1, so that they are shares rather than pixels.

    Args:
        boxes: (N, 4) float64, two opposite corners as written.
        owner: (N,) int64, each box's annotation.
        count: number of annotations.

    Returns:
        (count,) bool. Boxes without any area say nothing.

    >>> shares_only(np.array([[0.1, 0.2, 0.5, 1.0], [0.1, 0.2, 8.0, 9.0]]), np.array([0, 1]), 3).tolist()
    [True, False, False]
    """
    area = (boxes[:, :2] != boxes[:, 2:]).all(axis=1)
    inside = ((boxes >= -SHARE_SLACK) & (boxes <= 1 + SHARE_SLACK)).all(axis=1)
    within = np.bincount(owner[area & inside], minlength=count)
    return np.asarray((within > 0) & (np.bincount(owner[~inside], minlength=count) == 0))
