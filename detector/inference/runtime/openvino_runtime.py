"""A detector run by OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.runtime.answer import run_checked
from maskdet.detector.inference.runtime.spec import read_spec
from maskdet.sessions.devices import Precision
from maskdet.sessions.openvino_session import OpenVinoSession


class OpenVinoRuntime:
    """OpenVINO on the CPU, or on what ``device`` names; needs the ``openvino`` extra."""

    #: Runs from several threads at once keep the processor busy.
    side_by_side: ClassVar[bool] = True

    def __init__(
        self, path: Path, *, name: str, device: str = "cpu", threads: int = 0, precision: Precision = "fp32"
    ) -> None:
        """Load ``path``.

        Args:
            path: a folder that ``yolo export format=openvino`` wrote, the ``.xml`` in it, or an ONNX file.
            name: how results call the model.
            device: ``"cpu"``, or such as ``"openvino:GPU"``.
            threads: CPU threads, 0 for one a core.
            precision: ``"bf16"`` rounds weights and activations to bfloat16.

        Raises:
            MissingExtraError: OpenVINO is not installed.
            WeightsError: the file is damaged, or not a mask detector.
            DeviceError: the device is not there, or cannot compute in this precision.
        """
        self._session = OpenVinoSession(path, device=device, threads=threads, precision=precision)
        self.spec = read_spec(path, name, self._session)
        self._path = path

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run a batch; see ``Runtime``."""
        return run_checked(self._path, self.spec, self._session, batch)
