"""What a model file says of itself, and what every runtime offers."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.errors import WeightsError


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model file says of itself.

    Attributes:
        name: how results call it.
        imgsz: longer side of its input, pixels.
        stride: the input's sides are multiples of this.
        dynamic: the input may be any such rectangle and batch, not only ``imgsz`` × ``imgsz``.
        metadata: everything else that the file carries.
    """

    name: str
    imgsz: int
    stride: int
    dynamic: bool
    metadata: Mapping[str, str]


class Runtime(Protocol):
    """A loaded network."""

    spec: ModelSpec

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run (N, 3, H, W) float32 RGB in 0 to 1; return (N, 4 + C, A), or (N, A, 6) from an end-to-end network."""
        ...


def check_class_names(path: Path, names: Mapping[int, str]) -> None:
    """Refuse a model of other classes.

    Raises:
        WeightsError: the names differ from ``CLASS_NAMES`` or their order.
    """
    if [names.get(index) for index in range(len(names))] != list(CLASS_NAMES):
        shown = ", ".join(list(names.values())[:4]) + (", …" if len(names) > 4 else "")
        raise WeightsError(path, f"not a mask detector: its classes are {shown}; expected {', '.join(CLASS_NAMES)}")


def read_spec(path: Path, name: str, metadata: Mapping[str, str], takes: Sequence[int | str]) -> ModelSpec:
    """Return what a detector's file says of itself.

    Args:
        path: the file, for messages.
        name: how results call the model.
        metadata: as ultralytics and ``maskdet export`` write it, values as text.
        takes: shape of the input; text where a side is free.

    Raises:
        WeightsError: it is no mask detector.
    """
    if metadata.get("task") == "classify":
        raise WeightsError(path, "is a classifier, not a detector: it belongs to maskdet classify --weights")
    try:
        names = {int(key): str(value) for key, value in ast.literal_eval(metadata["names"]).items()}
        size = json.loads(metadata["imgsz"])
        stride = int(metadata["stride"])
        imgsz = max(size) if isinstance(size, list) else int(size)
    except (KeyError, ValueError, TypeError, SyntaxError, AttributeError) as error:
        raise WeightsError(path, "not a mask detector: the file has no class names, size and stride") from error
    if metadata.get("task", "detect") != "detect" or len(takes) != 4:
        raise WeightsError(path, f"not a mask detector: its task is {metadata.get('task', 'unknown')}")
    check_class_names(path, names)
    dynamic = not all(isinstance(side, int) for side in takes)
    return ModelSpec(name, imgsz, stride, dynamic, metadata)
