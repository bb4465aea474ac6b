"""Random changes to a face's box and pixels while training: what detectors and cameras do to faces."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Augment:
    """How strongly to change crops; all zero changes nothing.

    Attributes:
        flip: chance of mirroring left and right.
        shift: the box's centre moves by up to this fraction of its sides.
        scale: the box's sides grow or shrink by up to this fraction, each for itself.
        rotate: turns by up to this many degrees.
        light: brightness and contrast change by up to this fraction.
        colour: each channel changes by up to this fraction.
        shrink: chance of being scaled down to between 8 and 32 px and back, as a face far away.
        blur: chance of a Gaussian blur.
        jpeg: chance of JPEG compression at quality 20 to 80.
    """

    flip: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    light: float = 0.0
    colour: float = 0.0
    shrink: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0

    def box(self, box: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return a shifted and scaled box, (4,) float64 xyxy, with an area if the given one has."""
        if not (self.shift or self.scale):
            return box
        centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        centre = centre + size * rng.uniform(-self.shift, self.shift, 2)
        # Equal steps in the logarithm: twice as large is as likely as half as large.
        size = size * (1 + self.scale) ** rng.uniform(-1, 1, 2)
        return np.concatenate([centre - size / 2, centre + size / 2])

    def pixels(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return a changed crop of the same shape, (h, w, 3) uint8 BGR; the given one is left alone."""
        height, width = crop.shape[:2]
        if self.flip and rng.random() < self.flip:
            crop = np.ascontiguousarray(crop[:, ::-1])
        if self.rotate:
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-self.rotate, self.rotate), 1.0)
            crop = _bytes(cv2.warpAffine(crop, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))
        if self.shrink and rng.random() < self.shrink:
            side = round(2 ** rng.uniform(3, 5))
            if side < min(height, width):
                small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
                crop = _bytes(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
        if self.blur and rng.random() < self.blur:
            crop = _bytes(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.3, 0.02 * max(height, width) + 0.4)))
        if self.light or self.colour:
            crop = self._light(crop, rng)
        if self.jpeg and rng.random() < self.jpeg:
            quality = int(rng.integers(20, 81))
            code = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            crop = _bytes(cv2.imdecode(code, cv2.IMREAD_COLOR))
        return crop

    def _light(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        gain = 1 + rng.uniform(-self.light, self.light)
        offset = 128 * rng.uniform(-self.light, self.light)
        channels = gain * (1 + rng.uniform(-self.colour, self.colour, 3))
        levels = np.arange(256)[:, None]
        # A table of 256 levels a channel: the arithmetic is done once a level, not once a pixel.
        table = np.clip(np.round((levels - 128) * channels + 128 + offset), 0, 255).astype(np.uint8)
        return _bytes(cv2.LUT(np.ascontiguousarray(crop), table[None]))


def _bytes(image: NDArray[np.generic] | cv2.typing.MatLike | None) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.asarray(image, dtype=np.uint8)
    return array


#: Leaves every crop as it is: the study's way.
NO_AUGMENT = Augment()
