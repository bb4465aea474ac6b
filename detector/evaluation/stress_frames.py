"""The scale stress test's pictures: labelled photos re-framed so that a face takes a wanted share of the picture.

A data set whose faces are all of one size says nothing of a webcam, where one face fills the frame. So each face is the
target of pictures of its own: a window around it, shaped like its photo and wholly inside it, so large that the face's
longer side takes 10, 25, 50, 75 or 95 % of the window's shorter one, brought to a longer side of 240 to 1280 pixels;
and the whole photo shrunk until the face is 8 to 16 pixels long. Everything follows from labels and photo sizes alone:
the same split gives the same pictures.

A face stands in a bucket only where its photo has room for the window: no border is made up, and a face that already
takes half of its photo's shorter side is none of the 10 % bucket.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.detector.evaluation.labelled_split import Truth

#: A face's longer side as a share of the picture's shorter side, by bucket.
SHARES: Final[dict[str, float]] = {"10 %": 0.10, "25 %": 0.25, "50 %": 0.50, "75 %": 0.75, "95 %": 0.95}

#: The bucket of shrunk photos, and the face's longer side in them, pixels; taken in turn.
SHRUNK: Final = "8-16 px"
SHRUNK_SIDES: Final = (8, 10, 12, 14, 16)

BUCKETS: Final = (SHRUNK, *SHARES)

#: Longer side of a re-framed picture, pixels; taken in turn within each bucket and class.
PICTURE_SIDES: Final = (240, 320, 480, 640, 960, 1280)

#: A face of fewer pixels along its longer side is not enlarged: there would be nothing to see.
LEAST_SIDE: Final = 20.0

#: A photo is shrunk around faces of at most this share of its shorter side, so that it stays at least 48 pixels short.
LARGEST_SHRUNK_SHARE: Final = 1 / 6

Box = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture to be made, and what is in it.

    Attributes:
        window: left, top, right, bottom in whole pixels of the photo.
        size: (width, height) of the picture, pixels.
        target: (4,) float64 xyxy of the target, in pixels of the picture; never cut.
        others: (N, 4) float64 xyxy of the other labelled faces, clipped to the picture; those outside are left out.
    """

    bucket: str
    photo: int
    window: tuple[int, int, int, int]
    size: tuple[int, int]
    class_id: int
    target: Box
    others: Box


def longer_side(box: Box) -> float:
    """Return the longer side of a (4,) xyxy box."""
    return float((box[2:] - box[:2]).max())


def face_window(box: Box, share: float, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Place a window around a face, shaped like its photo, moved into the photo where it would stand out.

    Args:
        box: (4,) float64 xyxy of the face, in pixels of the photo and inside it.
        share: the face's longer side over the window's shorter one, above 0 to 1.
        size: (width, height) of the photo, pixels.

    Returns:
        left, top, right, bottom in whole pixels, the whole face inside; None where the photo is too small.

    >>> face_window(np.array([100.0, 60, 120, 80]), 0.2, (400, 200))
    (10, 20, 210, 120)
    >>> face_window(np.array([100.0, 60, 120, 80]), 0.05, (400, 200)) is None
    True
    """
    first, last = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
    # Rounded to whole pixels the window must still hold the face.
    short = max(round(longer_side(box) / share), int((last - first).max()))
    if short > min(size):
        return None
    left_top, window = [], []
    for axis in range(2):
        side = round(short * size[axis] / min(size))
        start = round((box[axis] + box[axis + 2] - side) / 2)
        start = min(max(start, int(last[axis]) - side), int(first[axis]))
        left_top.append(min(max(start, 0), size[axis] - side))
        window.append(side)
    (left, top), (width, height) = left_top, window
    return left, top, left + width, top + height


def into_picture(boxes: Box, window: tuple[int, int, int, int], size: tuple[int, int]) -> Box:
    """Bring (N, 4) xyxy boxes from pixels of a photo to those of a picture of one window, clipped to it.

    >>> into_picture(np.array([[10.0, 10, 30, 50]]), (0, 20, 100, 120), (200, 200)).tolist()
    [[20.0, 0.0, 60.0, 60.0]]
    """
    left, top, right, bottom = window
    width, height = size
    gain = np.array([width / (right - left), height / (bottom - top)] * 2)
    moved: Box = np.clip((boxes - np.array([left, top, left, top])) * gain, 0, np.array([width, height] * 2))
    return moved


def render(photo: Image, frame: Frame) -> Image:
    """Cut and resize the picture of a frame out of its photo, (H, W, 3) uint8 BGR; the photo is kept."""
    left, top, right, bottom = frame.window
    part = photo[top:bottom, left:right]
    shrinks = frame.size[0] < part.shape[1]
    picture: Image = cv2.resize(part, frame.size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return picture


def plan_frames(truths: Sequence[Truth], sizes: Sequence[tuple[int, int]], *, most: int | None = None) -> list[Frame]:
    """Plan every picture of the stress test.

    Args:
        sizes: (width, height) of each photo, pixels.
        most: at most so many pictures a bucket and class, spread evenly over the photos; None for all.

    Returns:
        The frames by photo, and within a photo by bucket and face.

    Raises:
        ValueError: truths and sizes differ in length, or ``most`` is below 1.
    """
    if most is not None and most < 1:
        raise ValueError(f"most must be 1 or more, not {most}")
    able: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for photo, (truth, size) in enumerate(zip(truths, sizes, strict=True)):
        for face, (box, class_id) in enumerate(zip(truth.boxes, truth.class_ids.tolist(), strict=True)):
            for bucket in _buckets(box, size):
                able[bucket, class_id].append((photo, face))
    planned: list[tuple[int, int, int, Frame]] = []
    for (bucket, _), faces in able.items():
        for turn, (photo, face) in enumerate(_spread(faces, most)):
            frame = _frame(bucket, turn, photo, face, truths[photo], sizes[photo])
            planned.append((photo, BUCKETS.index(bucket), face, frame))
    return [frame for *_, frame in sorted(planned, key=lambda one: one[:3])]


def _buckets(box: Box, size: tuple[int, int]) -> Iterator[str]:
    """Yield the buckets that a face can stand in."""
    side = longer_side(box)
    if max(SHRUNK_SIDES) <= side <= min(size) * LARGEST_SHRUNK_SHARE:
        yield SHRUNK
    if side >= LEAST_SIDE:
        yield from (bucket for bucket, share in SHARES.items() if face_window(box, share, size) is not None)


def _spread(faces: list[tuple[int, int]], most: int | None) -> list[tuple[int, int]]:
    if most is None or len(faces) <= most:
        return faces
    return [faces[at] for at in np.linspace(0, len(faces) - 1, most).round().astype(int).tolist()]


def _frame(bucket: str, turn: int, photo: int, face: int, truth: Truth, size: tuple[int, int]) -> Frame:
    """Plan one picture; ``turn`` counts those of its bucket and class."""
    box = truth.boxes[face]
    if bucket == SHRUNK:
        window: tuple[int, int, int, int] | None = (0, 0, *size)
        scale = SHRUNK_SIDES[turn % len(SHRUNK_SIDES)] / longer_side(box)
    else:
        window = face_window(box, SHARES[bucket], size)
        assert window is not None  # only such faces are planned
        scale = PICTURE_SIDES[turn % len(PICTURE_SIDES)] / max(window[2] - window[0], window[3] - window[1])
    assert window is not None
    left, top, right, bottom = window
    picture = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)
    boxes = into_picture(truth.boxes, window, picture)
    seen = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & (np.arange(len(boxes)) != face)
    return Frame(bucket, photo, window, picture, int(truth.class_ids[face]), boxes[face], boxes[seen])
