"""Pixels as the tensor that a network takes."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def to_tensor(images: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """Stack pictures, N of (H, W, 3) uint8 BGR, into a network's input: (N, 3, H, W) float32 RGB, 0 to 1."""
    batch = np.empty((len(images), 3, *images[0].shape[:2]), dtype=np.float32)
    for target, image in zip(batch, images, strict=True):
        # OpenCV takes the channels apart with vector instructions; NumPy would pick the bytes one by one.
        for plane, channel in zip(target[::-1], cv2.split(image), strict=True):
            np.copyto(plane, channel)
    batch /= 255
    return batch
