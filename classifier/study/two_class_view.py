"""A network of three classes asked the study's question, with or without mask, so that both stand in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from maskdet.classifier.training.run import TASK_CLASSES, NetworkRun, Predictions

VIEW_SUFFIX: Final = ", asked with or without"
_WANTED: Final = len(TASK_CLASSES["binary"])


def two_class_views(runs: Sequence[NetworkRun]) -> list[NetworkRun]:
    """Return each run of three classes as one of two; runs of two classes have no view.

    As everywhere with two classes, crops of *mask_weared_incorrect* are left out. The probabilities of the other two
    classes are divided by their sum: what the network says given that the mask is worn, or is not.
    """
    return [_view(run) for run in runs if run.task == "three"]


def is_view(run: NetworkRun) -> bool:
    """Whether a run is a view of another."""
    return run.title.endswith(VIEW_SUFFIX)


def _view(run: NetworkRun) -> NetworkRun:
    title = run.title.split(" (")[0] + VIEW_SUFFIX
    parts = {name: _two_classes(part) for name, part in run.parts.items()}
    return replace(run, title=title, task="binary", parts=parts)


def _two_classes(part: Predictions) -> Predictions:
    kept = np.flatnonzero(part.labels < _WANTED)
    both = part.probabilities[kept, :_WANTED]
    total = both.sum(axis=1, keepdims=True)
    # A network sure of the third class says nothing of the other two.
    shares = np.divide(both, total, out=np.full_like(both, 1 / _WANTED), where=total > 0)
    return Predictions(tuple(part.crops[at] for at in kept.tolist()), part.labels[kept], shares)
