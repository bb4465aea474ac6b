"""Finding photos that are the same, or nearly: equal files, copies, other crops of one shot, other shots of one scene.

Two steps. A difference hash of each thumbnail and the thumbnails' correlation choose candidate pairs among all pairs,
by matrix products. Each candidate pair is then laid over one another: points of interest (ORB) are matched, a
similarity transform is fitted, and the aligned pictures are compared block by block. A copy with a watermark or another
background still has nearly all blocks equal; two shots of one scene a second apart have not, since people move.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.photos.picture_file import Picture, read_pixels
from maskdet.sessions.processor import MAX_WORKERS, usable_cores
from maskdet.terminal.progress import track

#: Pictures are shrunk to this longer side in pixels.
_LONG_SIDE = 400
_POINTS = 300
_MIN_POINTS = 30
#: Side of a block in pixels, and the contrast below which a block says nothing.
_BLOCK, _MIN_CONTRAST = 32, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A picture in grey, (H, W) uint8, and its points of interest: (P, 2) float32 x, y in pixels, and (P, 32) uint8."""

    grey: NDArray[np.uint8]
    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """How well a second picture lies over a first.

    Attributes:
        points: matched points that agree on one transform.
        agreeing: their share of all matches.
        scale: size of the second picture's content in the first, 1 = the same.
        overlap: share of each picture that the other covers, the smaller of the two.
        equal_blocks: share of the blocks with a correlation above .9.
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


#: file   the same bytes          copy   the same shot in the same frame, re-encoded, retouched or watermarked
#: crop   the same shot in another frame                scene  the same scene and people a moment apart
#: augmented  by their names, augmented copies of one photo
PairKind = Literal["file", "copy", "crop", "scene", "augmented"]

#: A pair is a candidate up to this many differing bits of 64 …
_MAX_BITS = 20
#: … and from this correlation of the thumbnails on.
_MIN_CORRELATION = 0.5
#: Copies differ in at most this many bits; on the public data 3, the nearest other pair in the same frame 7.
_COPY_BITS = 5
#: At most this many candidates a photo are compared, the nearest first: frames of a film are all alike.
_MAX_CANDIDATES = 20
#: Rows of the all-pairs comparison at once; bounds the memory.
_ROWS = 512


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos that belong together, by index, the lower first."""

    first: int
    second: int
    kind: PairKind


def dhash(thumbs: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the difference hash of each picture: which cells of a 9×8 grid are darker than their right neighbours.

    (N, H, W, 3) uint8 BGR → (N, 64) bool, row by row; the same bits as ``imagehash.dhash`` up to its way of shrinking.
    """
    bits = np.empty((len(thumbs), 64), dtype=bool)
    for at, thumb in enumerate(thumbs):
        grey = cv2.cvtColor(thumb, cv2.COLOR_BGR2GRAY)
        cells = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
        bits[at] = (cells[:, 1:] > cells[:, :-1]).ravel()
    return bits


def find_candidates(thumbs: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of (N, H, W, 3) uint8 BGR thumbnails worth comparing: (M, 2) int64, and how many bits differ."""
    # With bits as ±1 a dot product counts agreements; matrix products beat popcounts here.
    signs = np.where(dhash(thumbs), np.float32(1), np.float32(-1))
    flat = np.stack([cv2.resize(thumb, (16, 16), interpolation=cv2.INTER_AREA) for thumb in thumbs])
    flat = flat.reshape(len(thumbs), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    found, bits = [], []
    for start in range(0, len(thumbs), _ROWS):
        differing = (64 - signs[start : start + _ROWS] @ signs.T) / 2
        alike = flat[start : start + _ROWS] @ flat.T
        rows, columns = np.nonzero((differing <= _MAX_BITS) & (alike >= _MIN_CORRELATION))
        later = columns > rows + start
        found.append(np.column_stack([rows[later] + start, columns[later]]))
        bits.append(differing[rows[later], columns[later]].astype(np.int64))
    pairs, distances = np.concatenate(found).astype(np.int64), np.concatenate(bits)
    return _nearest(pairs, distances, len(thumbs))


def _nearest(
    pairs: NDArray[np.int64], distances: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keep each photo's nearest candidates only, so that the work stays proportional to the photos."""
    if np.bincount(pairs.ravel(), minlength=count).max(initial=0) <= _MAX_CANDIDATES:
        return pairs, distances
    used = np.zeros(count, dtype=np.int64)
    keep = np.zeros(len(pairs), dtype=bool)
    for at in np.argsort(distances, kind="stable"):
        first, second = pairs[at]
        if used[first] < _MAX_CANDIDATES or used[second] < _MAX_CANDIDATES:
            keep[at] = True
            used[[first, second]] += 1
    return pairs[keep], distances[keep]


def find_pairs(pictures: Sequence[Picture], *, quiet: bool = False) -> list[Pair]:
    """Find all pairs of photos, looked at with ``thumb=True``, that belong together; sorted.

    Of several equal files each is paired with the first.

    Raises:
        SourceError: a picture can no longer be read.
    """
    if len(pictures) < 2:
        return []
    firsts: dict[str, int] = {}
    same = [firsts.setdefault(str(picture.sha256), at) for at, picture in enumerate(pictures)]
    pairs = [Pair(first, at, "file") for at, first in enumerate(same) if first != at]
    # One of several equal files stands for all of them from here on.
    unique = np.array(sorted(firsts.values()), dtype=np.int64)
    thumbs = np.stack([_thumb(pictures[at]) for at in unique])
    candidates, distances = find_candidates(thumbs)
    compared = _compare(pictures, unique[candidates], distances)
    for pair in track(compared, label="comparing", total=len(candidates), quiet=quiet):
        if pair is not None:
            pairs.append(pair)
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def with_copies(pairs: Sequence[Pair], links: Iterable[tuple[int, int]]) -> list[Pair]:
    """Add the pairs whose names say that they are copies of one photo, where their pixels did not; sorted."""
    found = {(pair.first, pair.second) for pair in pairs}
    named = [Pair(first, second, "augmented") for first, second in links if (first, second) not in found]
    return sorted([*pairs, *named], key=lambda pair: (pair.first, pair.second))


def _thumb(picture: Picture) -> NDArray[np.uint8]:
    if picture.thumb is None:
        raise ValueError(f"{picture.path} was looked at without thumb=True")
    return picture.thumb


def _compare(
    pictures: Sequence[Picture], candidates: NDArray[np.int64], distances: NDArray[np.int64]
) -> Iterator[Pair | None]:
    """Yield the verdict on each candidate pair, in order; features are found and compared in threads."""
    with ThreadPoolExecutor(max_workers=min(MAX_WORKERS, usable_cores())) as pool:
        needed = np.unique(candidates)
        features = dict(
            zip(needed.tolist(), pool.map(find_features, [pictures[at].path for at in needed]), strict=True)
        )

        def judge(at: int) -> Pair | None:
            first, second = candidates[at].tolist()
            kind = _judge(features[first], features[second], int(distances[at]))
            return None if kind is None else Pair(first, second, kind)

        yield from pool.map(judge, range(len(candidates)))


def _judge(first: Features, second: Features, bits: int) -> PairKind | None:
    """Decide what two photos have in common; the limits' margins on the public data stand beside them."""
    found = align(first, second)
    if found is None:
        return None
    if found.same_shot:
        if found.same_frame and bits <= _COPY_BITS:
            return "copy"
        # The same frame and yet a different hash: two shots of a still scene in a row.
        return "scene" if found.same_frame else "crop"
    # Pairs of one scene have ≥ 57 common points, 42 % of the matches and 20 % equal blocks; unrelated ones ≤ 12 points.
    return "scene" if found.points >= 50 and found.agreeing >= 0.4 and found.equal_blocks >= 0.15 else None
