"""A model's or a data set's own classes as the three that are scored, matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES, meaning
from maskdet.detector.postprocess import Detections
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


def scored_ids(names: Sequence[str], model: str | Path) -> npt.NDArray[np.int64] | None:
    """Return ``our_ids`` of a model that is to be scored; None where its classes are ours already.

    Raises:
        WeightsError: they cannot be matched.
    """
    if tuple(names) == CLASS_NAMES:
        return None
    ids = our_ids(names)
    if ids is None:
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        raise WeightsError(model, f"its classes are {shown}: scoring matches names of {', '.join(CLASS_NAMES)}")
    return ids


def in_our_classes(found: Detections, ids: npt.NDArray[np.int64] | None) -> Detections:
    """Return boxes with the three classes' ids and scores; a class that the model lacks has scores of 0."""
    if ids is None:
        return found
    scores = found.scores
    if scores is not None:
        scores = np.zeros((len(scores), len(CLASS_NAMES)), np.float32)
        scores[:, ids] = found.scores
    return found._replace(class_ids=ids[found.class_ids], scores=scores)
