"""Which runtime a model file is run by."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, get_args

from maskdet.errors import WeightsError
from maskdet.sessions.devices import of_openvino

#: What a caller may ask for.
RuntimeName = Literal["auto", "onnx", "openvino", "torch"]

#: What ``--runtime`` takes.
RUNTIMES: Final[tuple[RuntimeName, ...]] = get_args(RuntimeName)

#: How exactly a network computes: in 32-bit floats, or in bfloat16 where the processor multiplies that faster.
Precision = Literal["fp32", "bf16"]

#: What ``--precision`` takes.
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)

#: Kind of file, and the runtimes that read it, the one of ``auto`` first.
_READERS: Final[dict[str, tuple[RuntimeName, ...]]] = {
    ".onnx": ("onnx", "openvino"),
    ".pt": ("torch",),
    ".xml": ("openvino",),
}


def choose_runtime(path: Path, wanted: str = "auto", device: str = "cpu", precision: Precision = "fp32") -> RuntimeName:
    """Return the runtime for a model file, without importing any.

    ``auto`` goes by the file: ONNX Runtime for ``.onnx``, OpenVINO for its folder, torch for ``.pt``; a device of
    OpenVINO's asks for OpenVINO, and so does bfloat16, which only OpenVINO offers here. It does not guess which would
    be faster: that differs between machines, and a result should not depend on which packages happen to be installed.

    Args:
        path: an ``.onnx``, ``.pt`` or ``.xml`` file, or a folder.
        wanted: a ``RuntimeName``.
        device: as ``--device`` takes it.
        precision: as ``--precision`` takes it.

    Raises:
        ValueError: an unknown runtime or precision, or one that does not go with the other.
        WeightsError: the file is of an unknown kind, or not one of this runtime's.

    >>> choose_runtime(Path("best.onnx")), choose_runtime(Path("best.onnx"), device="openvino:GPU")
    ('onnx', 'openvino')
    """
    if wanted not in RUNTIMES:
        raise ValueError(f"unknown runtime {wanted!r}: the runtimes are {', '.join(RUNTIMES)}")
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}: the precisions are {', '.join(PRECISIONS)}")
    readers = _READERS.get(".xml" if path.is_dir() else path.suffix.lower())
    if readers is None:
        raise WeightsError(path, "unknown kind of weights: expected .onnx, .pt or an OpenVINO folder")
    openvino_asked = of_openvino(device) or precision == "bf16"
    chosen = wanted
    if wanted == "auto":
        chosen = "openvino" if openvino_asked and "openvino" in readers else readers[0]
    if precision == "bf16" and chosen != "openvino":
        raise ValueError(f"precision bf16 is OpenVINO's: {chosen} computes in fp32 only")
    for name in readers:
        if name == chosen:
            return name
    raise WeightsError(path, f"the runtime {wanted} cannot read it, but {' and '.join(readers)} can")
