"""What a network answered, looked at before boxes are made of it: a model's file is a stranger's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.runtime.spec import ModelSpec
from maskdet.errors import WeightsError

if TYPE_CHECKING:
    from maskdet.sessions.onnx_session import OnnxSession
    from maskdet.sessions.openvino_session import OpenVinoSession

#: How far a confidence may lie outside 0 to 1: what 8 bits and bfloat16 round away.
SLACK: Final = 0.01


def checked_answer(path: Path, spec: ModelSpec, answer: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32]:
    """Return a network's answer with its classes in the order of ``spec.names``, once it can be one.

    Args:
        path: the file, for messages.
        spec: what it says of itself.
        answer: what the network gave.
        count: pictures in the batch.

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


def run_checked(
    path: Path, spec: ModelSpec, session: OnnxSession | OpenVinoSession, batch: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Run a batch, one picture after another where the network takes no more, and check the answer.

    Raises:
        WeightsError: see ``checked_answer``, or the network cannot be run.
    """
    if spec.single and len(batch) > 1:
        return np.concatenate([checked_answer(path, spec, session(one[None]), 1) for one in batch])
    return checked_answer(path, spec, session(batch), len(batch))
