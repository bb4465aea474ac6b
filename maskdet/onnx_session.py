"""Opening an ONNX file with ONNX Runtime: the one way of every model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskdet.errors import WeightsError


def open_session(path: Path, *, device: str = "cpu", threads: int = 0) -> Any:
    """Return an ``onnxruntime.InferenceSession`` of ``path``.

    Args:
        path: an ONNX file.
        device: ``"cpu"``, or a CUDA index such as ``"0"`` where onnxruntime-gpu is installed.
        threads: intra-op threads, 0 for one a core.

    Raises:
        WeightsError: the file is not ONNX, or the device is not there.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    providers: list[Any] = ["CPUExecutionProvider"]
    if device != "cpu":
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise WeightsError(path, f"device {device!r} needs onnxruntime-gpu; without it use device cpu")
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": device}))
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no base class of their own
        raise WeightsError(path, f"not an ONNX model ({str(error).splitlines()[0][:120]})") from error
