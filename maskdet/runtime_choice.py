"""Which runtime a model file is run by."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, get_args

from maskdet.devices import of_openvino
from maskdet.errors import WeightsError

#: What a caller may ask for.
RuntimeName = Literal["auto", "onnx", "openvino", "torch"]

#: What ``--runtime`` takes.
RUNTIMES: Final[tuple[RuntimeName, ...]] = get_args(RuntimeName)

#: Kind of file, and the runtimes that read it, the one of ``auto`` first.
_READERS: Final[dict[str, tuple[RuntimeName, ...]]] = {
    ".onnx": ("onnx", "openvino"),
    ".pt": ("torch",),
    ".xml": ("openvino",),
}


def choose_runtime(path: Path, wanted: str = "auto", device: str = "cpu") -> RuntimeName:
    """Return the runtime for a model file, without importing any.

    ``auto`` goes by the file: ONNX Runtime for ``.onnx``, OpenVINO for its folder, torch for ``.pt``; a device of
    OpenVINO's asks for OpenVINO. It does not guess which would be faster: that differs between machines, and a result
    should not depend on which packages happen to be installed.

    Args:
        path: an ``.onnx``, ``.pt`` or ``.xml`` file, or a folder.
        wanted: a ``RuntimeName``.
        device: as ``--device`` takes it.

    Raises:
        ValueError: an unknown runtime.
        WeightsError: the file is of an unknown kind, or not one of this runtime's.

    >>> choose_runtime(Path("best.onnx")), choose_runtime(Path("best.onnx"), device="openvino:GPU")
    ('onnx', 'openvino')
    """
    if wanted not in RUNTIMES:
        raise ValueError(f"unknown runtime {wanted!r}: the runtimes are {', '.join(RUNTIMES)}")
    readers = _READERS.get(".xml" if path.is_dir() else path.suffix.lower())
    if readers is None:
        raise WeightsError(path, "unknown kind of weights: expected .onnx, .pt or an OpenVINO folder")
    if wanted == "auto":
        return "openvino" if of_openvino(device) and "openvino" in readers else readers[0]
    for name in RUNTIMES:
        if name == wanted and name in readers:
            return name
    raise WeightsError(path, f"the runtime {wanted} cannot read it, but {' and '.join(readers)} can")
