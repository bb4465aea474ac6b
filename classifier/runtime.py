"""The classifier's network: an ONNX file that ``maskdet.classifier.export`` wrote, run by ONNX Runtime."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops import MAX_MARGIN
from maskdet.errors import WeightsError
from maskdet.onnx_session import open_session


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """What a classifier's file says of itself.

    Attributes:
        name: how results call it.
        side: width and height of its input, pixels.
        margin: its crops reach so far over the face box, as a fraction of the box's side.
        square: its crops are squares around the box's centre.
        temperature: its logits were divided by this before softmax; already in the graph.
        metadata: everything that the file carries.
    """

    name: str
    side: int
    margin: float
    square: bool
    temperature: float
    metadata: Mapping[str, str]


class ClassifierRuntime:
    """A loaded network: prepared crops in, probabilities out."""

    def __init__(self, path: Path, *, name: str, device: str = "cpu", threads: int = 0) -> None:
        """Load ``path``.

        Args:
            path: an ONNX file written by ``maskdet.classifier.export``.
            name: how results call the model.
            device: ``"cpu"``, or a CUDA index such as ``"0"`` where onnxruntime-gpu is installed.
            threads: intra-op threads, 0 for one a core.

        Raises:
            WeightsError: the file is missing, not ONNX, a detector, or somebody else's classifier.
        """
        if not path.is_file():
            raise WeightsError(path, "no such file")
        if path.suffix.lower() != ".onnx":
            raise WeightsError(path, "unknown kind of weights: a classifier is an .onnx file")
        self._session = open_session(path, device=device, threads=threads)
        self._input: str = self._session.get_inputs()[0].name
        self.spec = _read_spec(self._session, path, name)

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run a batch.

        Args:
            batch: (N, 3, side, side) float32 RGB in 0 to 1.

        Returns:
            (N, 3) float32 probabilities in the order of ``CLASS_NAMES``.
        """
        output: npt.NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return output


def _read_spec(session: Any, path: Path, name: str) -> ClassifierSpec:
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    task = metadata.get("task")
    if task == "detect":
        raise WeightsError(path, "is a detector, not a classifier: it belongs to maskdet detect --weights")
    if task != "classify":
        raise WeightsError(path, f"not a mask classifier: its task is {task or 'unknown'}")
    try:
        names = {int(key): str(value) for key, value in ast.literal_eval(metadata["names"]).items()}
        sides = json.loads(metadata["imgsz"])
        margin, temperature = float(metadata["margin"]), float(metadata["temperature"])
        square = {"true": True, "false": False}[metadata["square"]]
        side = int(sides[0] if isinstance(sides, list) else sides)
    except (KeyError, IndexError, ValueError, TypeError, SyntaxError, AttributeError) as error:
        reason = "not a mask classifier: the file lacks class names, size, margin, square or temperature"
        raise WeightsError(path, reason) from error
    if [names.get(index) for index in range(len(names))] != list(CLASS_NAMES):
        shown = ", ".join(list(names.values())[:4]) + (", …" if len(names) > 4 else "")
        raise WeightsError(path, f"not a mask classifier: its classes are {shown}; expected {', '.join(CLASS_NAMES)}")
    if not 0 <= margin <= MAX_MARGIN or not (math.isfinite(temperature) and temperature > 0):
        raise WeightsError(path, f"not a mask classifier: margin {margin:g}, temperature {temperature:g}")
    inputs, outputs = session.get_inputs(), session.get_outputs()
    takes, gives = inputs[0].shape, outputs[0].shape
    fits = len(inputs) == 1 and inputs[0].type == "tensor(float)" and takes[1:] == [3, side, side]
    if not fits or isinstance(takes[0], int) or len(gives) != 2 or gives[1] != len(CLASS_NAMES):
        reason = f"it turns {takes} into {gives}, not (N, 3, {side}, {side}) into (N, 3)"
        raise WeightsError(path, f"not a mask classifier: {reason}")
    return ClassifierSpec(name, side, margin, square, temperature, metadata)
