"""The classifier's network, by ONNX Runtime or OpenVINO: a file that ``maskdet.classifier.training.export`` wrote."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.window import MAX_MARGIN
from maskdet.errors import WeightsError
from maskdet.sessions.devices import choose_runtime
from maskdet.sessions.model_file import read_names, read_size, required
from maskdet.sessions.onnx_session import OnnxSession

if TYPE_CHECKING:
    from maskdet.sessions.openvino_session import OpenVinoSession

_WORDS = "class names, size, margin, square or temperature"

#: How far a probability may lie outside 0 to 1 by rounding.
_SLACK = 0.01


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """What a classifier's file says of itself.

    Attributes:
        side: width and height of its input, pixels.
        margin: its crops reach so far over the face box, as a fraction of the box's side.
        square: its crops are squares around the box's centre.
        temperature: its logits were divided by this before softmax; already in the graph.
    """

    name: str
    side: int
    margin: float
    square: bool
    temperature: float
    metadata: Mapping[str, str]


class ClassifierRuntime:
    """A loaded network: prepared crops in, probabilities out."""

    def __init__(self, path: Path, *, name: str, device: str = "cpu", threads: int = 0, runtime: str = "auto") -> None:
        """Load an ONNX file that ``maskdet.classifier.training.export`` wrote; options as of ``MaskClassifier``.

        Raises:
            ValueError: an unknown runtime.
            WeightsError: the file is missing, not ONNX, a detector, or somebody else's classifier.
            DeviceError: the device is not there.
            MissingExtraError: OpenVINO without the ``openvino`` extra.
        """
        if not path.is_file():
            raise WeightsError(path, "no such file")
        if path.suffix.lower() != ".onnx":
            raise WeightsError(path, "unknown kind of weights: a classifier is an .onnx file")
        self._session: OnnxSession | OpenVinoSession
        if choose_runtime(path, runtime, device) == "openvino":
            from maskdet.sessions.openvino_session import OpenVinoSession

            self._session = OpenVinoSession(path, device=device, threads=threads)
        else:
            self._session = OnnxSession(path, device=device, threads=threads)
        self._path = path
        self.spec = _read_spec(self._session, path, name)

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return (N, 3) float32 probabilities, by ``CLASS_NAMES``, of (N, 3, side, side) float32 RGB in 0 to 1."""
        answer = self._session(batch)
        shape = getattr(answer, "shape", ())
        if shape != (len(batch), len(CLASS_NAMES)):
            raise WeightsError(self._path, f"not a mask classifier: it answered {list(shape)} to {len(batch)} crops")
        if not (answer.min(initial=0) >= -_SLACK and answer.max(initial=0) <= 1 + _SLACK):  # nor NaN
            raise WeightsError(self._path, "its probabilities do not lie between 0 and 1")
        return answer


def _read_spec(session: OnnxSession | OpenVinoSession, path: Path, name: str) -> ClassifierSpec:
    metadata = session.metadata
    task = metadata.get("task")
    if task == "detect":
        raise WeightsError(path, "is a detector, not a classifier: it belongs to maskdet detect --weights")
    if task != "classify":
        raise WeightsError(path, f"not a mask classifier: its task is {task or 'unknown'}")
    try:
        texts = required(metadata, "names", "imgsz", "margin", "temperature", "square", what=_WORDS)
        names, (side, _) = read_names(texts[0]), read_size(texts[1], smallest=1)
        margin, temperature = float(texts[2]), float(texts[3])
        square = {"true": True, "false": False}.get(texts[4])
        if square is None:
            raise ValueError("square is neither true nor false")
    except ValueError as error:
        raise WeightsError(path, f"not a mask classifier: the file lacks {_WORDS} ({error})") from error
    if names != CLASS_NAMES:
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        raise WeightsError(path, f"not a mask classifier: its classes are {shown}; expected {', '.join(CLASS_NAMES)}")
    if not 0 <= margin <= MAX_MARGIN or not (math.isfinite(temperature) and temperature > 0):
        raise WeightsError(path, f"not a mask classifier: margin {margin:g}, temperature {temperature:g}")
    takes, gives = session.takes, session.gives
    fits = session.plain_input and session.plain_output and takes[1:] == [3, side, side]
    if not fits or isinstance(takes[0], int) or len(gives) != 2 or gives[1] != len(CLASS_NAMES):
        reason = f"it turns {takes} into {gives}, not (N, 3, {side}, {side}) into (N, 3)"
        raise WeightsError(path, f"not a mask classifier: {reason}")
    return ClassifierSpec(name, side, margin, square, temperature, metadata)
