"""Opening an ONNX file with ONNX Runtime: the one way of every model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.errors import DeviceError, WeightsError, first_line
from maskdet.sessions.devices import onnx_providers
from maskdet.sessions.processor import run_threads
from maskdet.weights import card_of

#: Types of numbers that go in and come out.
_FLOATS = ("tensor(float)", "tensor(float16)")


def open_session(path: Path, *, device: str = "cpu", threads: int = 0) -> Any:
    """Return an ``onnxruntime.InferenceSession`` of an ONNX file; 0 threads stands for one a core.

    Raises:
        WeightsError: the file is not ONNX, or keeps numbers outside its folder.
        DeviceError: the device is not there, or does not start.
    """
    if not card_of(path):
        from maskdet.sessions.model_file import check_external_data

        check_external_data(path)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # 0 would be the machine's cores, each thread tied to one: in a container more than there is time for, or refused.
    options.intra_op_num_threads = threads or run_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is said once, by us
    providers = onnx_providers(device, onnxruntime.get_available_providers())
    if device.lower() in {"directml", "dml"}:
        # DirectML's documentation asks for both.
        options.enable_mem_pattern = False
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no base class of their own
        raise WeightsError(path, f"not an ONNX model ({first_line(error)})") from error
    wanted = providers[0] if isinstance(providers[0], str) else providers[0][0]
    # ONNX Runtime falls back to the CPU without a word where a driver or library is missing.
    if wanted not in session.get_providers():
        raise DeviceError(f"device {device!r}: {wanted} does not start here (a driver or library is missing); use cpu")
    return session


class OnnxSession:
    """A network run by ONNX Runtime; may be called from several threads at once.

    Attributes:
        metadata: what the file says of itself, text to text.
        takes: shape of its input; text where a side is free.
        gives: shape of its first output, likewise.
        plain_input: there is one input, of float32 or float16.
        plain_output: the first output is of float32 or float16.
    """

    def __init__(self, path: Path, *, device: str = "cpu", threads: int = 0) -> None:
        """Load ``path``; arguments and errors are those of ``open_session``."""
        self._session = open_session(path, device=device, threads=threads)
        self._path = path
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if not inputs or not outputs:
            raise WeightsError(path, "not a network for pictures: it has no input or no output")
        self._input: str = inputs[0].name
        self._half = inputs[0].type == "tensor(float16)"
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.takes: list[int | str] = inputs[0].shape
        self.gives: list[int | str] = outputs[0].shape
        self.plain_input = len(inputs) == 1 and inputs[0].type in _FLOATS
        self.plain_output = outputs[0].type in _FLOATS

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the first output for a batch (``WeightsError``: the network cannot be run on it)."""
        given = batch.astype(np.float16) if self._half else batch
        try:
            output: npt.NDArray[np.float32] = self._session.run(None, {self._input: given})[0]
        except Exception as error:  # onnxruntime's exceptions share no base class of their own
            raise WeightsError(self._path, f"cannot be run ({first_line(error)})") from error
        return output.astype(np.float32) if isinstance(output, np.ndarray) and output.dtype == np.float16 else output
