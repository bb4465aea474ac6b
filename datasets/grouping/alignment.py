"""Laying one picture over another, to tell whether both show the same shot, and in the same frame.

Points of interest (ORB) are matched, a similarity transform is fitted, and the aligned pictures are compared block by
block. A copy with a watermark or another background still has nearly all blocks equal; two shots of one scene a
second apart have not, since people move.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.photos.picture_file import read_pixels

#: Pictures are shrunk to this longer side in pixels.
_LONG_SIDE = 400
_POINTS = 300
_MIN_POINTS = 30
#: Side of a block in pixels, and the contrast below which a block says nothing.
_BLOCK, _MIN_CONTRAST = 32, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A picture's points of interest.

    Attributes:
        grey: (H, W) uint8, the longer side at most 400 px.
        points: (P, 2) float32, x, y in pixels.
        descriptors: (P, 32) uint8.
    """

    grey: NDArray[np.uint8]
    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Alignment:
    """How well a second picture lies over a first.

    Attributes:
        points: matched points that agree on one transform.
        agreeing: their share of all matches.
        scale: size of the second picture's content in the first, 1 = the same.
        degrees: rotation.
        overlap: share of each picture that the other covers, the smaller of the two.
        equal_blocks: share of the blocks with a correlation above .9.
        median_block: median correlation of the blocks.
    """

    points: int
    agreeing: float
    scale: float
    degrees: float
    overlap: float
    equal_blocks: float
    median_block: float

    @property
    def same_shot(self) -> bool:
        """One exposure: nearly all blocks equal, and not turned, as a hand-held camera is between two shots."""
        # On the public data: copies and crops .904 and more, .998 and more, 0.09° and less;
        # the nearest pairs of two shots .962 / .993, or turned by 0.3°.
        return self.equal_blocks >= 0.85 and self.median_block >= 0.996 and abs(self.degrees) <= 0.2

    @property
    def same_frame(self) -> bool:
        """The same part of the scene, at the same scale."""
        return abs(self.scale - 1) <= 0.01 and self.overlap >= 0.975


def find_features(path: Path) -> Features:
    """Read a picture and find its points of interest.

    Raises:
        SourceError: the picture cannot be read.
    """
    grey = read_pixels(path, cv2.IMREAD_GRAYSCALE)
    factor = _LONG_SIDE / max(grey.shape)
    if factor < 1:
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.uint8)
    keypoints, descriptors = cv2.ORB.create(_POINTS, fastThreshold=10).detectAndCompute(grey, None)
    if descriptors is None:
        return Features(grey, np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8))
    return Features(grey, np.array([point.pt for point in keypoints], dtype=np.float32), descriptors)


def align(first: Features, second: Features) -> Alignment | None:
    """Lay the second picture over the first; None where too few points agree on a transform."""
    if min(len(first.points), len(second.points)) < _MIN_POINTS:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(first.descriptors, second.descriptors)
    if len(matches) < _MIN_POINTS:
        return None
    to = first.points[[match.queryIdx for match in matches]]
    start = second.points[[match.trainIdx for match in matches]]
    # OpenCV draws its random samples from a generator with a fixed seed for each call: the same pair, the same answer.
    matrix, agreeing = cv2.estimateAffinePartial2D(start, to, ransacReprojThreshold=3.0, maxIters=500)
    points = 0 if matrix is None else int(agreeing.sum())
    if points < _MIN_POINTS:
        return None
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    height, width = first.grey.shape
    over = cv2.warpAffine(second.grey, matrix, (width, height))
    covered = cv2.warpAffine(np.full_like(second.grey, 255), matrix, (width, height)) == 255
    overlap = min(float(covered.mean()), float(covered.sum() / scale**2 / second.grey.size))
    blocks = _block_correlations(first.grey, over, covered)
    return Alignment(
        points=points,
        agreeing=points / len(matches),
        scale=scale,
        degrees=math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])),
        overlap=overlap,
        equal_blocks=float((blocks > 0.9).mean()) if len(blocks) else 0.0,
        median_block=float(np.median(blocks)) if len(blocks) else 0.0,
    )


def _block_correlations(
    first: NDArray[np.uint8], second: NDArray[np.uint8], covered: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the correlation of each block that is covered wholly and has contrast, slightly blurred: (B,) float64."""
    height, width = (side // _BLOCK * _BLOCK for side in first.shape)

    def blocks(array: NDArray[np.float64]) -> NDArray[np.float64]:
        cut = array[:height, :width].reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
        return cut.transpose(0, 2, 1, 3).reshape(-1, _BLOCK * _BLOCK)

    # Half a pixel of misalignment must not count as a difference.
    a, b = (blocks(cv2.GaussianBlur(side.astype(np.float64), (0, 0), 1.5)) for side in (first, second))
    usable = blocks(covered.astype(np.float64)).all(axis=1) & (a.std(axis=1) > _MIN_CONTRAST)
    a, b = a[usable], b[usable]
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    correlations: NDArray[np.float64] = (a * b).sum(axis=1) / np.maximum(norms, 1e-9)
    return correlations
