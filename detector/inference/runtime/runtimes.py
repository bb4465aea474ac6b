"""A detector run by ONNX Runtime or by OpenVINO, and the choice of what runs a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.runtime.spec import Runtime, checked_answer, read_spec
from maskdet.errors import WeightsError
from maskdet.sessions.devices import Precision, choose_runtime
from maskdet.sessions.onnx_session import OnnxSession

if TYPE_CHECKING:
    from maskdet.sessions.openvino_session import OpenVinoSession


class _SessionRuntime:
    """A file with its session; the answer is checked."""

    #: Runs from several threads at once keep the processor busy.
    side_by_side: ClassVar[bool] = True

    def __init__(self, path: Path, name: str, session: OnnxSession | OpenVinoSession) -> None:
        self._session = session
        self.spec = read_spec(path, name, session)
        self._path = path

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run a batch, one picture after another where the network takes no more; see ``Runtime``."""
        if self.spec.single and len(batch) > 1:
            answers = [checked_answer(self._path, self.spec, self._session(one[None]), 1) for one in batch]
            return np.concatenate(answers)
        return checked_answer(self._path, self.spec, self._session(batch), len(batch))


class OnnxRuntime(_SessionRuntime):
    """ONNX Runtime on the CPU, or on what ``device`` names."""

    def __init__(self, path: Path, *, name: str, device: str = "cpu", threads: int = 0) -> None:
        """Load ``path``, an ONNX file written by ``maskdet export`` or by ``yolo export``; see ``load_runtime``."""
        super().__init__(path, name, OnnxSession(path, device=device, threads=threads))


class OpenVinoRuntime(_SessionRuntime):
    """OpenVINO on the CPU, or on what ``device`` names; needs the ``openvino`` extra."""

    def __init__(
        self, path: Path, *, name: str, device: str = "cpu", threads: int = 0, precision: Precision = "fp32"
    ) -> None:
        """Load ``path``: a folder that ``yolo export`` wrote, the ``.xml`` in it, or ONNX; see ``load_runtime``."""
        from maskdet.sessions.openvino_session import OpenVinoSession

        super().__init__(path, name, OpenVinoSession(path, device=device, threads=threads, precision=precision))


def load_runtime(
    path: Path,
    *,
    name: str,
    device: str = "cpu",
    threads: int = 0,
    runtime: str = "auto",
    precision: Precision = "fp32",
    trust_weights: bool = False,
) -> Runtime:
    """Load a model.

    Args:
        path: an ``.onnx`` or ``.pt`` file, an OpenVINO folder, or the ``.xml`` in it.
        device: ``"cpu"``, a CUDA index such as ``"0"``, ``"coreml"``, ``"directml"``, or such as ``"openvino:GPU"``.
        threads: CPU threads, 0 for one a core; torch always takes all.
        runtime: ``"auto"``, ``"onnx"``, ``"openvino"`` or ``"torch"``; see ``maskdet.sessions.devices``.
        precision: ``"fp32"`` or ``"bf16"``, the latter with OpenVINO only.
        trust_weights: unpickle a ``.pt`` whatever it names, which runs what it says.

    Raises:
        ValueError: an unknown runtime or precision, or one that does not go with the other.
        WeightsError: the file is missing, not one of this runtime's, or not a mask detector.
        DeviceError: the device is not there, or cannot compute in this precision.
        MissingExtraError: a ``.pt`` without the ``train`` extra, or OpenVINO without the ``openvino`` extra.
    """
    if not path.exists():
        raise WeightsError(path, "no such file; without --weights the shipped model is used")
    chosen = choose_runtime(path, runtime, device, precision)
    if chosen == "openvino":
        return OpenVinoRuntime(path, name=name, device=device, threads=threads, precision=precision)
    if chosen == "torch":
        from maskdet.detector.inference.runtime.torch_runtime import TorchRuntime

        return TorchRuntime(path, name=name, device=device, trust_weights=trust_weights)
    return OnnxRuntime(path, name=name, device=device, threads=threads)
