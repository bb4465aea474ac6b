"""What training does to a photo before mosaic: close-ups, and more faces of the rare class.

Every function takes and returns pixels and boxes, draws from the generator it is given, and never changes its input.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]

#: A face's part of the close-up's shorter side, drawn log-uniformly between these.
SHARES: Final = (0.15, 0.95)

#: A close-up enlarges the training picture at most so many times: beyond that a face is only a blur.
MAX_ENLARGED: Final = 8.0

#: Boxes that a close-up cuts to less than this part of their area are dropped.
LEAST_VISIBLE: Final = 0.4

#: Most that the edge of a close-up may cut off the face it shows, as a part of the face's side.
MOST_CUT: Final = 0.1


@dataclass(frozen=True, slots=True)
class FaceAugmentation:
    """How often each happens, 0 to 1.

    Attributes:
        close_up: a photo is replaced by a close-up of one of its faces, rare classes first.
        rare_photo: a photo is replaced by one that shows a face of the rare class.
        paste_rare: a face is replaced by one of the rare class from another photo.
        slip_mask: a bare face gets a masked face's mask below its nose, and the rare class.
        poor_camera: a photo is seen through a poor camera (``maskdet.detector.training.camera``).
    """

    close_up: float = 0.0
    rare_photo: float = 0.0
    paste_rare: float = 0.0
    slip_mask: float = 0.0
    poor_camera: float = 0.0

    @property
    def any(self) -> bool:
        """Whether anything happens at all."""
        return bool(max(astuple(self)) > 0)


@dataclass(frozen=True, slots=True)
class Patch:
    """A face to paste.

    Attributes:
        pixels: (H, W, 3) uint8, the face with ``margin`` around it.
        margin: added on each side, as a part of the box's side.
    """

    pixels: Image
    margin: float


def close_up_window(
    box: npt.NDArray[np.floating], size: tuple[int, int], share: float, aspect: float, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Place a window around a face so that the face takes ``share`` of the window's shorter side.

    The window is moved into the picture; where it is larger than the picture, the picture's own edge ends it.

    Args:
        box: (4,) xyxy in pixels.
        share: of the face's longer side, above 0.
        rng: decides where in the window the face lies.

    Returns:
        x1, y1, x2, y2 of the window in pixels, within the picture.

    >>> x1, y1, x2, y2 = close_up_window(np.array([40, 40, 60, 60]), (100, 100), 0.5, 1.0, np.random.default_rng(0))
    >>> x2 - x1, y2 - y1
    (40, 40)
    """
    x1, y1, x2, y2 = (float(value) for value in box)
    short = max(x2 - x1, y2 - y1) / share
    wanted = (short * max(aspect, 1.0), short * max(1 / aspect, 1.0))
    window = []
    for low, high, asked, length in ((x1, x2, wanted[0], size[0]), (y1, y2, wanted[1], size[1])):
        cut = MOST_CUT * (high - low)
        start = rng.uniform(high - cut - asked, low + cut) if asked > high - low - 2 * cut else (low + high - asked) / 2
        side = min(asked, length)
        start = min(max(start, 0.0), length - side)
        window.append((start, start + side))
    (left, right), (top, bottom) = window
    return round(left), round(top), max(round(right), round(left) + 1), max(round(bottom), round(top) + 1)


def crop_boxes(boxes: Boxes, window: tuple[int, int, int, int]) -> tuple[Boxes, npt.NDArray[np.bool_]]:
    """Move boxes into a window and clip them to it.

    Args:
        boxes: (N, 4) xyxy in pixels of the picture.
        window: x1, y1, x2, y2 in pixels of the picture.

    Returns:
        (N, 4) xyxy in pixels of the window, and (N,) whether enough of the box is left.
    """
    left, top, right, bottom = window
    moved = np.clip(boxes - np.array([left, top, left, top]), 0, np.array([right - left, bottom - top] * 2))
    area = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    seen = (moved[:, 2:] - moved[:, :2]).prod(axis=1) / area
    return moved.astype(np.float32), seen >= LEAST_VISIBLE


def draw_close_up(
    boxes: Boxes, weights: npt.NDArray[np.floating], size: tuple[int, int], imgsz: int, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Choose a face and a window around it.

    Args:
        boxes: (N, 4) xyxy in pixels, N ≥ 1.
        weights: (N,) how much each face should be chosen, before its size counts: larger ones are sharper.
    """
    sides = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1.0)
    chance = weights * sides
    box = boxes[rng.choice(len(boxes), p=chance / chance.sum())]
    aspect = float(np.exp(rng.uniform(np.log(0.75), np.log(4 / 3))))
    largest = min(SHARES[1], max((box[2:] - box[:2]).max() * MAX_ENLARGED / imgsz, SHARES[0] + 0.01))
    share = float(np.exp(rng.uniform(np.log(SHARES[0]), np.log(largest))))
    return close_up_window(box, size, share, aspect, rng)


def widened(box: npt.NDArray[np.floating], margin: float) -> tuple[int, int, int, int]:
    """Return the box with ``margin`` of its sides added all round, in whole pixels; it may leave the picture."""
    x1, y1, x2, y2 = (float(value) for value in box)
    dx, dy = margin * (x2 - x1), margin * (y2 - y1)
    return round(x1 - dx), round(y1 - dy), round(x2 + dx), round(y2 + dy)


def cut_patch(image: Image, box: npt.NDArray[np.floating], margin: float = 0.2) -> Patch | None:
    """Cut a face with its surroundings; None where the margin would leave the picture."""
    x1, y1, x2, y2 = widened(box, margin)
    if x1 < 0 or y1 < 0 or x2 > image.shape[1] or y2 > image.shape[0] or x2 - x1 < 4 or y2 - y1 < 4:
        return None
    return Patch(image[y1:y2, x1:x2].copy(), margin)


def paste_face(image: Image, box: npt.NDArray[np.floating], patch: Patch, rng: np.random.Generator) -> bool:
    """Put another face where one is, within a soft ellipse, in place.

    Args:
        image: (H, W, 3) uint8, changed.
        box: (4,) xyxy in pixels, of the face that goes.

    Returns:
        False, with nothing changed, where the surroundings do not lie in the picture.
    """
    import cv2

    x1, y1, x2, y2 = widened(box, patch.margin)
    if x1 < 0 or y1 < 0 or x2 > image.shape[1] or y2 > image.shape[0] or x2 - x1 < 4 or y2 - y1 < 4:
        return False
    shrinks = patch.pixels.shape[0] > y2 - y1
    face = cv2.resize(patch.pixels, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        face = face[:, ::-1]
    alpha = _soft_ellipse(y2 - y1, x2 - x1, inner=1 / (1 + 2 * patch.margin))
    place = image[y1:y2, x1:x2]
    place[:] = np.rint(alpha * face + (1 - alpha) * place).astype(np.uint8)
    return True


def slip_mask(image: Image, box: npt.NDArray[np.floating], masked: Patch, rng: np.random.Generator) -> bool:
    """Put the lower part of a masked face on the lower part of a bare one, so that its nose shows, in place.

    Args:
        image: (H, W, 3) uint8, changed.
        box: (4,) xyxy in pixels, of the bare face.
        masked: a face that wears its mask as it should, without margin (``Patch.margin`` 0).

    Returns:
        False, with nothing changed, where the face is too small or not wholly in the picture.
    """
    import cv2

    x1, y1, x2, y2 = widened(box, 0.0)
    width, height = x2 - x1, y2 - y1
    if x1 < 0 or y1 < 0 or x2 > image.shape[1] or y2 > image.shape[0] or min(width, height) < 8:
        return False
    rows = masked.pixels.shape[0]
    mask = masked.pixels[round(rows * rng.uniform(0.45, 0.55)) :]
    top = round(height * rng.uniform(0.62, 0.78))
    mask = cv2.resize(mask, (width, height - top), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        mask = mask[:, ::-1]
    # Round at the sides, as a mask on a face is, and soft at its upper edge.
    across = np.abs(np.linspace(-1, 1, width))[None, :]
    down = np.arange(height - top)[:, None] / max(height - top, 1)
    edge = 0.35 * across**2
    soft = max(1.5 / (height - top), 0.08)
    alpha = np.clip((down - edge) / soft, 0, 1) * np.clip((1.0 - across) / 0.15, 0, 1)
    place = image[y1 + top : y2, x1:x2]
    place[:] = np.rint(alpha[..., None] * mask + (1 - alpha[..., None]) * place).astype(np.uint8)
    return True


def _soft_ellipse(height: int, width: int, inner: float) -> npt.NDArray[np.float32]:
    """Return (H, W, 1) float32: 1 within the ellipse of ``inner`` of the sides, falling to 0 at the edges."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    radius = np.sqrt(x * x + y * y)
    return np.clip((1 - radius) / (1 - inner), 0, 1)[..., None].astype(np.float32)
