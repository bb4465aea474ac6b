"""A model's classes and those of a data set, matched by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES, meaning, plain_name
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import WeightsError


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
        found: boxes with a model's own ids.
        ids: from ``scored_ids``: boxes of classes that are not scored are left out, and scored classes that the model
            lacks have scores of 0.
        count: how many classes are scored.
    """
    if ids is None:
        return found
    mapped, scores = ids[found.class_ids], None
    if found.scores is not None:
        known = ids >= 0
        scores = np.zeros((len(mapped), count), np.float32)
        scores[:, ids[known]] = found.scores[:, known]
    return found._replace(class_ids=mapped, scores=scores).take(mapped >= 0)
