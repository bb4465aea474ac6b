"""Finding photos that are the same, or nearly: equal files, copies, other crops of one shot, other shots of one scene.

Two steps. A difference hash of each thumbnail and the thumbnails' correlation choose candidate pairs among all pairs,
by matrix products. Each candidate is then aligned and compared block by block (see ``alignment``), which decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.grouping.alignment import Alignment, Features, align, find_features
from maskdet.datasets.photos.picture_file import Picture
from maskdet.sessions.processor import MAX_WORKERS, usable_cores
from maskdet.terminal.progress import track

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
    """Two photos that belong together.

    Attributes:
        first: index of one photo, the lower one.
        second: index of the other.
        kind: how alike they are.
    """

    first: int
    second: int
    kind: PairKind


def dhash(thumbs: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the difference hash of each picture: which cells of a 9×8 grid are darker than their right neighbours.

    Args:
        thumbs: (N, H, W, 3) uint8 BGR.

    Returns:
        (N, 64) bool, row by row; the same bits as ``imagehash.dhash`` up to its way of shrinking.
    """
    bits = np.empty((len(thumbs), 64), dtype=bool)
    for at, thumb in enumerate(thumbs):
        grey = cv2.cvtColor(thumb, cv2.COLOR_BGR2GRAY)
        cells = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
        bits[at] = (cells[:, 1:] > cells[:, :-1]).ravel()
    return bits


def find_candidates(thumbs: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs worth comparing.

    Args:
        thumbs: (N, H, W, 3) uint8 BGR.

    Returns:
        (M, 2) int64 indices, the lower first, sorted; and (M,) int64, the number of differing bits of each pair.
    """
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
    """Find all pairs of photos that belong together.

    Args:
        pictures: looked at with ``thumb=True``.
        quiet: no progress bar.

    Returns:
        The pairs, sorted. Of several equal files each is paired with the first.

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
    return "scene" if _same_scene(found) else None


def _same_scene(found: Alignment) -> bool:
    # Pairs of one scene have ≥ 57 common points, 42 % of the matches and 20 % equal blocks; unrelated ones ≤ 12 points.
    return found.points >= 50 and found.agreeing >= 0.4 and found.equal_blocks >= 0.15
