"""Loading a detector with the runtime that suits its file."""

from __future__ import annotations

from pathlib import Path

from maskdet.detector.inference.runtime.onnx_runtime import OnnxRuntime
from maskdet.detector.inference.runtime.spec import Runtime
from maskdet.errors import WeightsError
from maskdet.sessions.devices import Precision, choose_runtime


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
        name: how results call the model.
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
        from maskdet.detector.inference.runtime.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(path, name=name, device=device, threads=threads, precision=precision)
    if chosen == "torch":
        from maskdet.detector.inference.runtime.torch_runtime import TorchRuntime

        return TorchRuntime(path, name=name, device=device, trust_weights=trust_weights)
    return OnnxRuntime(path, name=name, device=device, threads=threads)
