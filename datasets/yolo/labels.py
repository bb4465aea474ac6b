"""YOLO label files, read with ultralytics' decisions: which lines are boxes, and when it ignores a photo for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.photos.mend import MIN_SHARE, find_repeated
from maskdet.errors import AnnotationError

#: Shares of the photo may pass its edge by this much.
EDGE_TOLERANCE: Final = 0.01

#: Four hundred thousand boxes: more is no label file.
_MAX_BYTES: Final = 1 << 24

_FORM: Final = "expected five numbers: class, centre x, centre y, width, height"


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The N boxes of a label file, as written.

    Attributes:
        class_ids: (N,) int64.
        rows: (N, 4) float64 centre x, centre y, width, height as shares of the picture.
        lines: the line of each in the file, from 1.
        repeated: (N,) bool, which say what a line above says.
        polygons: whether the file holds polygons; ``rows`` are then the boxes around them.
    """

    class_ids: NDArray[np.int64]
    rows: NDArray[np.float64]
    lines: list[int]
    repeated: NDArray[np.bool_]
    polygons: bool = False

    @property
    def has_area(self) -> NDArray[np.bool_]:
        """(N,) bool, which boxes are more than a point or a line once written with six decimals."""
        return np.asarray((self.rows[:, 2:] >= MIN_SHARE).all(axis=1))


def read_labels(path: Path, *, classes: int | None = None, keypoints: int = 0, single_class: bool = False) -> Labels:
    """Read a label file; a single line that ultralytics does not take makes the file unusable, as it does there.

    So many numbers as ``keypoints`` may follow a box and are left out; with ``single_class`` every class number counts
    as 0; without ``classes`` there may be any.

    Raises:
        AnnotationError: neither boxes nor polygons, both in one file, or a value out of range; with the line.
    """
    lines, words = [], []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if parts := line.split():
            lines.append(number)
            words.append(parts[:5] if keypoints and len(parts) == 5 + keypoints else parts)
    polygons = any(len(parts) > 6 for parts in words)
    for number, parts in zip(lines, words, strict=True):
        if not polygons and len(parts) != 5:
            hint = " (a sixth, such as a confidence, is not taken)" if len(parts) == 6 else ""
            raise AnnotationError(path, _FORM + hint, number)
        if polygons and len(parts) == 5:
            raise AnnotationError(path, "a box in a file of polygons: ultralytics takes no file with both", number)
        if polygons and (len(parts) < 3 or len(parts) % 2 == 0):
            raise AnnotationError(path, "expected a class and the points of a polygon, x and y each", number)
    numbers = [_numbers(path, number, parts) for number, parts in zip(lines, words, strict=True)]
    if polygons:
        table = np.array([_around(values) for values in numbers])
        forms = {values.astype(np.float32).tobytes(): at for at, values in reversed(list(enumerate(numbers)))}
        repeated = np.array([forms[values.astype(np.float32).tobytes()] != at for at, values in enumerate(numbers)])
    else:
        table = np.array(numbers).reshape(-1, 5)
        repeated = find_repeated(_as_trained(table).astype(np.float64))
    _check(path, table, lines, None if single_class else classes)
    class_ids = np.zeros(len(table), np.int64) if single_class else _as_trained(table[:, 0]).astype(np.int64)
    return Labels(class_ids, table[:, 1:], lines, repeated, polygons)


def label_path(picture: Path) -> Path:
    """Return where ultralytics looks for a picture's labels: the last ``images`` folder becomes ``labels``.

    >>> label_path(Path("set/images/train/a.jpg")).as_posix()
    'set/labels/train/a.txt'
    """
    parts = list(picture.parts)
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] == "images":
            parts[at] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise AnnotationError(path, f"is larger than {_MAX_BYTES >> 20} MiB")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise AnnotationError(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise AnnotationError(path, "is not a text file") from error


def _numbers(path: Path, line: int, words: list[str]) -> NDArray[np.float64]:
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        raise AnnotationError(path, _FORM, line) from None


def _as_trained(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return values as ultralytics holds them: what it takes is decided on these."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _around(values: NDArray[np.float64]) -> list[float]:
    """Return class, centre and size of the box around a polygon, given as its class and then x and y of each point."""
    points = values[1:].reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    return [values[0], *((low + high) / 2), *(high - low)]


def _check(path: Path, table: NDArray[np.float64], lines: list[int], classes: int | None) -> None:
    """Refuse classes and shares out of range, in (N, 5) float64 class, centre x, centre y, width, height.

    Raises:
        AnnotationError: for the first such row.
    """
    values = _as_trained(table)
    # Written so that NaN, which compares with nothing, is out of range.
    shares = (values[:, 1:] >= -EDGE_TOLERANCE) & (values[:, 1:] <= 1 + EDGE_TOLERANCE)
    shares[:, 2:] &= values[:, 3:] >= 0
    whole = (values[:, 0] >= 0) & np.isfinite(values[:, 0]) & (np.floor(values[:, 0]) == values[:, 0])
    known = values[:, 0] < (classes if classes is not None else 2**24)
    wrong = ~(shares.all(axis=1) & whole & known)
    if not wrong.any():
        return
    at = int(np.argmax(wrong))
    number = f"{table[at, 0]:.15g}"
    if not np.isfinite(table[at, 1:]).all():
        reason = _FORM
    elif not whole[at]:
        reason = f"{number} is no class number"
    elif not known[at]:
        reason = f"class {number}: " + ("no such number" if classes is None else f"the last one is {classes - 1}")
    elif shares[at, :2].all() and (values[at, 3:] < 0).any():
        reason = "width and height must not be negative"
    else:
        reason = "values must be shares of the photo's width and height, 0 to 1"
    raise AnnotationError(path, reason, lines[at])
