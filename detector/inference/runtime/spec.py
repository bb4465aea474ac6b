"""What a model file says of itself, and its answers looked at before boxes are made of them: a file is a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.errors import WeightsError
from maskdet.sessions.model_file import read_names, read_size, read_stride, required

if TYPE_CHECKING:
    from maskdet.sessions.onnx_session import OnnxSession
    from maskdet.sessions.openvino_session import OpenVinoSession


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model file says of itself.

    Attributes:
        imgsz: longer side of its input, pixels.
        stride: the input's sides are multiples of this.
        dynamic: the input may be any such rectangle and batch, not only ``imgsz`` × ``imgsz``.
        metadata: everything else that the file carries.
        names: its classes, by their index in results; our three in the one order used everywhere.
        order: for each of ``names`` its index in the network's answer; None where that is the same.
        single: it takes one picture at a time.
        path: the file or folder it came from, where there is one.
    """

    name: str
    imgsz: int
    stride: int
    dynamic: bool
    metadata: Mapping[str, str]
    names: tuple[str, ...] = CLASS_NAMES
    order: tuple[int, ...] | None = None
    single: bool = False
    path: Path | None = None


class Runtime(Protocol):
    """A loaded network."""

    spec: ModelSpec

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run (N, 3, H, W) float32 RGB in 0 to 1; return (N, 4 + C, A), or (N, A, 6) from an end-to-end network."""
        ...


def class_order(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...] | None]:
    """Return a model's classes as results have them, and where each stands in the network's answer.

    >>> class_order(("without_mask", "with_mask", "mask_weared_incorrect"))
    (('with_mask', 'without_mask', 'mask_weared_incorrect'), (1, 0, 2))
    >>> class_order(("face",))
    (('face',), None)
    """
    if names == CLASS_NAMES or set(names) != set(CLASS_NAMES):
        return names, None
    return CLASS_NAMES, tuple(names.index(name) for name in CLASS_NAMES)


def read_spec(path: Path, name: str, session: OnnxSession | OpenVinoSession) -> ModelSpec:
    """Return what a detector's file says of itself, once it agrees with the network in it.

    Args:
        session: the network, with its metadata as ultralytics and ``maskdet export`` write it.

    Raises:
        WeightsError: it is no detector, or says what cannot be.
    """
    metadata, takes, gives = session.metadata, session.takes, session.gives
    task = metadata.get("task", "detect")
    if task == "classify":
        raise WeightsError(path, "is a classifier, not a detector: it belongs to maskdet classify --weights")
    if task != "detect":
        raise WeightsError(path, f"not a mask detector: its task is {task[:40]}")
    try:
        texts = required(metadata, "names", "imgsz", "stride", what="class names, size and stride")
        names, order = class_order(read_names(texts[0]))
        size, stride = read_size(texts[1]), read_stride(texts[2])
    except ValueError as error:
        raise WeightsError(path, f"not a mask detector: {error}") from error
    if (
        not session.plain_input
        or len(takes) != 4
        or takes[1] not in {3, *(one for one in takes if isinstance(one, str))}
    ):
        raise WeightsError(path, f"not a mask detector: it takes {takes} and not one picture of floating-point numbers")
    sides = [side for side in takes[2:] if isinstance(side, int)]
    if any(side != max(size) for side in sides):
        shape = "×".join(map(str, takes[2:]))
        raise WeightsError(
            path, f"takes pictures of {shape} px only: export it with dynamic=True, or with one number as imgsz"
        )
    if isinstance(takes[0], int) and takes[0] != 1:
        raise WeightsError(path, f"takes {takes[0]} pictures at once and no fewer: export it with dynamic=True")
    known = len(gives) == 3 and all(isinstance(one, int) for one in gives[1:])
    if (
        not session.plain_output
        or (gives and gives != ["?"] and len(gives) != 3)
        or (known and gives[2] != 6 and gives[1] != 4 + len(names))
    ):
        raise WeightsError(
            path, f"not a mask detector: it gives {gives}, and {len(names)} classes need 4 + {len(names)} rows"
        )
    return ModelSpec(name, max(size), stride, not sides, metadata, names, order, takes[0] == 1, path)


#: Metadata that says which network a file holds, layer by layer, so that it can be trained on.
NETWORK_KEY: Final = "maskdet_network"


#: How far a confidence may lie outside 0 to 1: what 8 bits and bfloat16 round away.
SLACK: Final = 0.01


def checked_answer(path: Path, spec: ModelSpec, answer: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32]:
    """Return a network's answer with its classes in the order of ``spec.names``, once it can be one.

    Raises:
        WeightsError: another shape, values that are not finite, confidences outside 0 to 1, or classes there are not.
    """
    classes = len(spec.names)
    shape: tuple[int, ...] = getattr(answer, "shape", ())
    end_to_end = len(shape) == 3 and shape[2] == 6
    if len(shape) != 3 or shape[0] != count or not (end_to_end or shape[1] == 4 + classes):
        raise WeightsError(
            path, f"not a mask detector: it answered {list(shape)} to {count} pictures, of {classes} classes"
        )
    if answer.dtype != np.float32:
        answer = answer.astype(np.float32)
    if not np.isfinite(answer).all():
        raise WeightsError(path, "its answer holds values that are no numbers (NaN or infinite)")
    scores = answer[:, :, 4] if end_to_end else answer[:, 4:]
    if scores.size and not (scores.min() >= -SLACK and scores.max() <= 1 + SLACK):
        raise WeightsError(path, f"its confidences lie between {scores.min():g} and {scores.max():g}, not 0 and 1")
    if end_to_end:
        ids = np.rint(answer[:, :, 5])
        if ids.size and not (ids.min() >= 0 and ids.max() < classes):
            raise WeightsError(path, f"it answers with class {ids.max():g} and has {classes}")
        if spec.order is not None:
            answer = answer.copy()
            answer[:, :, 5] = np.argsort(spec.order)[ids.astype(np.int64)]
    elif spec.order is not None:
        answer = np.concatenate([answer[:, :4], scores[:, list(spec.order)]], axis=1)
    if scores.size and scores.max() > 1:
        answer = answer.copy()
        scores = answer[:, :, 4] if end_to_end else answer[:, 4:]
        np.clip(scores, 0, 1, out=scores)
    return answer
