"""A labelled split ready to be scored: photos, true boxes in pixels, and a model's classes matched with it by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES, meaning, plain_name
from maskdet.datasets.yolo.data_yaml import find_data_yaml, read_data_yaml
from maskdet.datasets.yolo.labels import Labels, label_path
from maskdet.datasets.yolo.read import LabelledPicture, read_pictures
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import DatasetError, WeightsError
from maskdet.results.labels import from_yolo


def our_ids(names: Sequence[str]) -> npt.NDArray[np.int64] | None:
    """Return (C,) int64, the index in ``CLASS_NAMES`` that each name means; None where one means none, or two the same.

    >>> our_ids(["no mask", "mask"]).tolist()
    [1, 0]
    >>> our_ids(["person"]) is None
    True
    """
    meanings = [meaning(name) for name in names]
    if None in meanings or len(set(meanings)) < len(meanings):
        return None
    return np.array([CLASS_NAMES.index(name) for name in meanings if name is not None], np.int64)


def match_names(names: Sequence[str], scored: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return (C,) int64, the index in ``scored`` of each of C names, -1 for none.

    The same name counts first, then the same but for case, spaces, hyphens and underscores, then one of the same
    meaning; no two names are the same class.

    >>> match_names(["no mask", "person", "mask"], ["with_mask", "without_mask"]).tolist()
    [1, -1, 0]
    >>> match_names(["mask", "face_mask"], ["face_mask", "helmet"]).tolist()
    [-1, 0]
    """
    ids = np.full(len(names), -1, np.int64)
    keys: tuple[Callable[[str], str | None], ...] = (str, plain_name, meaning)
    for key in keys:
        free = {key(name): index for index, name in reversed(list(enumerate(scored))) if index not in ids}
        for place, name in enumerate(names):
            if ids[place] < 0 and (text := key(name)) is not None:
                ids[place] = free.pop(text, -1)
    return ids


def scored_ids(names: Sequence[str], scored: Sequence[str], model: str | Path) -> npt.NDArray[np.int64] | None:
    """Return ``match_names`` of a model that is to be scored; None where its classes are the scored ones already.

    Raises:
        WeightsError: none can be matched.
    """
    if tuple(names) == tuple(scored):
        return None
    ids = match_names(names, scored)
    if (ids < 0).all():
        reason = f"its classes are {_shown(names)}: scoring matches names of {_shown(scored)}"
        raise WeightsError(model, reason)
    return ids


def unmatched(names: Sequence[str], scored: Sequence[str]) -> str | None:
    """Say in a line which classes stand on one side only, of a model's and of the labels'; None where there are none.

    >>> unmatched(["head", "dog"], ["helmet", "head"])
    'boxes of dog are left out, which the labels do not have; the model does not know helmet'
    """
    ids = match_names(names, scored)
    alone = [name for name, index in zip(names, ids, strict=True) if index < 0]
    unknown = [name for index, name in enumerate(scored) if index not in ids]
    parts = [f"boxes of {_shown(alone)} are left out, which the labels do not have"] if alone else []
    parts += [f"the model does not know {_shown(unknown)}"] if unknown else []
    return "; ".join(parts) or None


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")


def in_classes(found: Detections, ids: npt.NDArray[np.int64] | None, count: int) -> Detections:
    """Return boxes with the ids and scores of the ``count`` classes that are scored.

    Args:
        ids: from ``scored_ids``: boxes of classes that are not scored are left out, and scored classes that the model
            lacks have scores of 0.
    """
    if ids is None:
        return found
    mapped, scores = ids[found.class_ids], None
    if found.scores is not None:
        known = ids >= 0
        scores = np.zeros((len(mapped), count), np.float32)
        scores[:, ids[known]] = found.scores[:, known]
    return found._replace(class_ids=mapped, scores=scores).take(mapped >= 0)


class Truth(NamedTuple):
    """The labelled faces of one photo.

    Attributes:
        boxes: (N, 4) float64, xyxy in pixels of the upright photo.
        class_ids: (N,) int64.
    """

    boxes: npt.NDArray[np.float64]
    class_ids: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSplit:
    """One split of a YOLO data set.

    Attributes:
        data: folder and name of its ``data.yaml``, such as ``"public/data.yaml"``; never a whole path.
        repeated: how many label lines said what another line of their file says; each such face counts once.
        empty: how many label lines had no area; they count as no faces.
        names: the classes that ``class_ids`` count: ours where all names mean those, else the data set's own.
        written: the classes as the data set spells them, where those are other words.
    """

    data: str
    split: str
    photos: tuple[Path, ...]
    truths: tuple[Truth, ...]
    repeated: int = 0
    empty: int = 0
    names: tuple[str, ...] = CLASS_NAMES
    written: tuple[str, ...] = CLASS_NAMES

    def spelled_as(self, names: Sequence[str]) -> LabelledSplit:
        """Return the split in a model's classes and words where the data set has the same, else as it is."""
        if self.names == tuple(names) or self.names != CLASS_NAMES or set(names) != set(self.written):
            return self
        theirs = our_ids(names)
        assert theirs is not None, "the data set's own words mean ours"
        back = np.zeros(len(CLASS_NAMES), np.int64)
        back[theirs] = np.arange(len(theirs))
        truths = tuple(truth._replace(class_ids=back[truth.class_ids]) for truth in self.truths)
        return replace(self, truths=truths, names=tuple(names))


def read_split(data: str | Path, split: str = "val", *, any_classes: bool = False) -> LabelledSplit:
    """Read a split's photos and labels.

    A photo without a label file has no faces, as in YOLO. A line that repeats another of its file is left out, as
    ultralytics does, and counted; so is one without area, which no training learns from.

    Args:
        data: a ``data.yaml``, or the folder that holds one.
        any_classes: take classes that cannot be matched with ours by name as they are.

    Raises:
        DatasetError: no such file or split, nothing to score, or classes that cannot be matched.
        AnnotationError: a label line for which ultralytics would ignore the photo, with its number.
        SourceError: a photo that cannot be decoded, or that ultralytics would ignore.
    """
    path = find_data_yaml(data)
    described = read_data_yaml(path)
    ids = our_ids(described.names)
    if ids is None and not any_classes:
        shown = ", ".join(described.names[:20])
        raise DatasetError(path, f"its classes are {shown}; this scoring needs names of {', '.join(CLASS_NAMES)}")
    if split not in described.splits:
        raise DatasetError(path, f"has no split {split!r}; it has {', '.join(described.splits)}")
    photos = described.pictures(split)
    if not photos:
        raise DatasetError(path, f"split {split!r} has no photos")
    truths, repeated, empty = [], 0, 0
    for one in read_pictures(photos, described):
        if not isinstance(one, LabelledPicture):
            raise one
        labels = one.labels
        if labels is None:
            truths.append(Truth(np.zeros((0, 4)), np.zeros(0, np.int64)))
            continue
        truth = _truth(labels, one.picture.size)
        truths.append(truth if ids is None else truth._replace(class_ids=ids[truth.class_ids]))
        repeated += int(labels.repeated.sum())
        empty += int((~labels.repeated & ~labels.has_area).sum())
    if not any(len(truth.class_ids) for truth in truths):
        raise DatasetError(path, f"split {split!r} has no labelled faces: its labels belong in {_folder(photos[0])}")
    return LabelledSplit(
        f"{path.resolve().parent.name}/{path.name}",
        split,
        tuple(photos),
        tuple(truths),
        repeated,
        empty,
        described.names if ids is None else CLASS_NAMES,
        described.names,
    )


def _folder(photo: Path) -> Path:
    return label_path(photo).parent


def _truth(labels: Labels, size: tuple[int, int]) -> Truth:
    """Return the faces of a label file that count, in pixels of a photo of width and height ``size``."""
    kept = ~labels.repeated & labels.has_area
    return Truth(from_yolo(labels.rows[kept], size), labels.class_ids[kept])
