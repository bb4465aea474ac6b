"""Letterbox: fit a picture into the network's input without distortion, and bring boxes back.

The arithmetic is YOLO's: one scale for both sides, each side rounded to whole pixels, grey (114) borders shared between
the two sides. ``auto`` pads only to the next multiple of the stride (the "rectangular" inference of YOLO), which for a
4:3 photo saves a quarter of the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

PAD_VALUE: Final = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Geometry of one fit, all in pixels.

    Attributes:
        source: (height, width) of the picture.
        resized: (height, width) of the picture inside the input.
        padded: (height, width) of the input.
        offset: (top, left) of the picture inside the input.
    """

    source: tuple[int, int]
    resized: tuple[int, int]
    padded: tuple[int, int]
    offset: tuple[int, int]

    @classmethod
    def fit(cls, source: tuple[int, int], imgsz: int, stride: int = 32, *, auto: bool = True) -> Letterbox:
        """Fit a picture of ``source`` (height, width) into ``imgsz`` × ``imgsz``.

        Args:
            source: (height, width) in pixels, both at least 1.
            imgsz: longer side of the input, a multiple of ``stride``.
            auto: pad to a multiple of the stride only; otherwise to the full square.

        >>> Letterbox.fit((300, 400), 640)
        Letterbox(source=(300, 400), resized=(480, 640), padded=(480, 640), offset=(0, 0))
        >>> Letterbox.fit((300, 400), 640, auto=False).offset
        (80, 0)
        """
        height, width = source
        scale = min(imgsz / height, imgsz / width)
        resized = (max(round(height * scale), 1), max(round(width * scale), 1))
        spare = [imgsz - side for side in resized]
        if auto:
            spare = [value % stride for value in spare]
        # Half a pixel of border goes to the far side: -0.1 rounds x.5 down, as YOLO does.
        top, left = (round(value / 2 - 0.1) for value in spare)
        return cls(source, resized, (resized[0] + spare[0], resized[1] + spare[1]), (top, left))

    def apply(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return ``image`` (H, W, 3) uint8 resized and bordered, (padded_h, padded_w, 3) uint8; the input is kept."""
        height, width = self.resized
        if (height, width) != self.source:
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        top, left = self.offset
        bottom, right = self.padded[0] - height - top, self.padded[1] - width - left
        if not (top or left or bottom or right):
            return image
        grey = (PAD_VALUE, PAD_VALUE, PAD_VALUE)
        bordered: npt.NDArray[np.uint8] = cv2.copyMakeBorder(
            image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=grey
        )
        return bordered

    def restore(self, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Map boxes from the input back to the picture and clip them to it.

        Args:
            boxes: (N, 4) float32, xyxy in pixels of the input.

        Returns:
            (N, 4) float32, xyxy in pixels of the picture.
        """
        (height, width), (top, left) = self.source, self.offset
        shift = np.array([left, top, left, top], dtype=np.float32)
        gain = np.array([self.resized[1] / width, self.resized[0] / height] * 2, dtype=np.float32)
        limit = np.array([width, height, width, height], dtype=np.float32)
        restored: npt.NDArray[np.float32] = np.clip((boxes - shift) / gain, 0, limit)
        return restored
