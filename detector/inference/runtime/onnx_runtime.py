"""A detector run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.runtime.answer import run_checked
from maskdet.detector.inference.runtime.spec import read_spec
from maskdet.sessions.onnx_session import OnnxSession


class OnnxRuntime:
    """ONNX Runtime on the CPU, or on what ``device`` names."""

    #: Runs from several threads at once keep the processor busy.
    side_by_side: ClassVar[bool] = True

    def __init__(self, path: Path, *, name: str, device: str = "cpu", threads: int = 0) -> None:
        """Load ``path``.

        Args:
            path: an ONNX file written by ``maskdet export`` or by ``yolo export``.
            name: how results call the model.
            device: ``"cpu"``, a CUDA index such as ``"0"``, ``"coreml"`` or ``"directml"``, where ONNX Runtime has it.
            threads: intra-op threads, 0 for one a core.

        Raises:
            WeightsError: the file is not ONNX, or not a mask detector.
            DeviceError: the device is not there.
        """
        self._session = OnnxSession(path, device=device, threads=threads)
        self.spec = read_spec(path, name, self._session)
        self._path = path

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run a batch; see ``Runtime``."""
        return run_checked(self._path, self.spec, self._session, batch)
