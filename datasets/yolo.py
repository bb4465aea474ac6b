"""YOLO labels: the arithmetic between pixels and shares of the picture, label files, and ``data.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.datasets.layout import PICTURE_SUFFIXES
from maskdet.errors import AnnotationError, DatasetError

SPLITS = ("train", "val", "test")


def to_yolo(boxes: NDArray[np.float64], size: tuple[int, int] | NDArray[np.int32]) -> NDArray[np.float64]:
    """Turn (N, 4) xyxy in pixels into (N, 4) centre x, centre y, width, height as shares of ``size``.

    Args:
        boxes: (N, 4) float64 xyxy in pixels.
        size: width and height in pixels of the picture, or (N, 2) of each box's picture.

    >>> to_yolo(np.array([[0.0, 10.0, 20.0, 30.0]]), (40, 80)).tolist()
    [[0.25, 0.25, 0.5, 0.25]]
    """
    scale = np.array(size, dtype=np.float64)
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(low + high) / 2 / scale, (high - low) / scale], axis=1)


def from_yolo(rows: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Turn (N, 4) centre x, centre y, width, height as shares of ``size`` into (N, 4) xyxy in pixels; not clipped.

    >>> from_yolo(np.array([[0.25, 0.25, 0.5, 0.25]]), (40, 80)).tolist()
    [[0.0, 10.0, 20.0, 30.0]]
    """
    scale = np.array(size, dtype=np.float64)
    centre, side = rows[:, :2] * scale, rows[:, 2:] * scale
    return np.concatenate([centre - side / 2, centre + side / 2], axis=1)


def format_labels(class_ids: NDArray[np.int64], rows: NDArray[np.float64]) -> str:
    """Write a label file's text: ``class cx cy w h`` a line, shares with 6 decimals.

    Args:
        class_ids: (N,) int64.
        rows: (N, 4) float64 centre x, centre y, width, height, 0–1.
    """
    return "".join(label_lines(class_ids, rows))


def label_lines(class_ids: NDArray[np.int64], rows: NDArray[np.float64]) -> list[str]:
    """Return the lines of ``format_labels``, each with its end."""
    pairs = zip(class_ids.tolist(), rows.tolist(), strict=True)
    return [f"{index} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for index, (x, y, w, h) in pairs]


def read_labels(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64], list[int]]:
    """Read a label file.

    Returns:
        (N,) int64 class ids, (N, 4) float64 rows as written, and the line of each (1-based).

    Raises:
        AnnotationError: a line has not five finite numbers or its class is no whole number; with the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise AnnotationError(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise AnnotationError(path, "is not a text file") from error
    class_ids, rows, lines = [], [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = [float(word) for word in line.split()]
        except ValueError:
            values = []
        if len(values) != 5 or not np.isfinite(values).all():
            raise AnnotationError(path, "expected five numbers: class, centre x, centre y, width, height", number)
        if values[0] != int(values[0]) or values[0] < 0:
            raise AnnotationError(path, f"{line.split()[0]} is no class number", number)
        class_ids.append(int(values[0]))
        rows.append(values[1:])
        lines.append(number)
    return np.array(class_ids, dtype=np.int64), np.array(rows, dtype=np.float64).reshape(-1, 4), lines


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


def format_data_yaml(names: Sequence[str], **splits: Sequence[str]) -> str:
    """Write a ``data.yaml``.

    There is no ``path:`` on purpose: ultralytics then takes the folder of the file itself, so the data set can be used
    from any folder and moved as a whole.

    Args:
        names: class names, the index is the class id.
        **splits: ``train``, ``val`` and possibly ``test``: folders of pictures relative to the file.
    """
    lines = ["# Written by maskdet convert. Paths are relative to this file."]
    for split, folders in splits.items():
        lines.append(f"{split}: {folders[0]}" if len(folders) == 1 else f"{split}: [{', '.join(folders)}]")
    lines.append("names:")
    lines.extend(f"  {index}: {name}" for index, name in enumerate(names))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class DataYaml:
    """A YOLO data set's description.

    Attributes:
        path: the file.
        names: class names, the index is the class id.
        splits: for each of ``train``, ``val``, ``test`` that is there, its folders or list files.
    """

    path: Path
    names: tuple[str, ...]
    splits: dict[str, tuple[Path, ...]]

    def pictures(self, split: str) -> list[Path]:
        """Return the pictures of a split, sorted.

        Raises:
            DatasetError: a folder or list file is missing.
        """
        found: list[Path] = []
        for source in self.splits[split]:
            if source.is_dir():
                found += [file for file in source.rglob("*") if file.suffix.lower() in PICTURE_SUFFIXES]
            elif source.is_file():
                lines = source.read_text(encoding="utf-8-sig").splitlines()
                found += [source.parent / line.strip() for line in lines if line.strip()]
            else:
                raise DatasetError(self.path, f"{split} points to {source}, which does not exist")
        return sorted(found)


def find_data_yaml(data: str | Path) -> Path:
    """Return a ``data.yaml`` that was named itself or by its folder.

    Raises:
        DatasetError: there is none.
    """
    path = Path(data)
    if path.is_dir():
        path /= "data.yaml"
    if not path.is_file():
        raise DatasetError(path, "no such file; `maskdet convert` writes a data.yaml")
    return path


def read_data_yaml(path: Path) -> DataYaml:
    """Read a ``data.yaml`` as ultralytics does: paths count from ``path:``, else from the file's own folder.

    Raises:
        DatasetError: not YAML, or without class names or splits.
    """
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DatasetError(path, f"cannot be read as YAML ({type(error).__name__})") from error
    if not isinstance(data, dict) or not data.get("names"):
        raise DatasetError(path, "has no class names: add `names:`")
    names = data["names"]
    ordered = [names[key] for key in sorted(names)] if isinstance(names, dict) else list(names)
    root = path.parent / str(data.get("path") or "")
    splits: dict[str, tuple[Path, ...]] = {}
    for split in SPLITS:
        entry = data.get(split)
        if entry:
            sources = entry if isinstance(entry, list) else [entry]
            splits[split] = tuple(_resolve(root, str(source)) for source in sources)
    if not splits:
        raise DatasetError(path, "names no pictures: add `train:` and `val:`")
    return DataYaml(path, tuple(str(name) for name in ordered), splits)


def training_pictures(data: str | Path, need: str) -> list[Path]:
    """Return the pictures of a data set's split ``train``, sorted.

    Args:
        data: a ``data.yaml``, or the folder that holds one.
        need: who needs them and why, the end of the message where there are none.

    Raises:
        DatasetError: no such file, or no pictures in that split.
    """
    path = find_data_yaml(data)
    described = read_data_yaml(path)
    pictures = described.pictures("train") if "train" in described.splits else []
    if not pictures:
        raise DatasetError(path, f"has no photos in its split 'train': {need}")
    return pictures


def _resolve(root: Path, source: str) -> Path:
    """Find a split's folder; exports with ``../train/images`` mean ``train/images``, which ultralytics forgives too."""
    path = root / source
    return root / source[3:] if source.startswith("../") and not path.exists() else path
