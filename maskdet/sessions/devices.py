"""Which device and which runtime a model file is run by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from maskdet.errors import DeviceError, WeightsError

if TYPE_CHECKING:
    import torch

#: Name of a device, ONNX Runtime's word for it, and what brings it to a machine that lacks it.
_PROVIDERS: Final = {
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu in place of onnxruntime, and an NVIDIA GPU"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime on macOS"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml in place of onnxruntime, on Windows"),
}

_KNOWN: Final = "cpu, 0 (the index of a CUDA GPU), coreml, directml, openvino:CPU, openvino:GPU, openvino:NPU"

#: What stands before a device of OpenVINO's.
_OPENVINO: Final = "openvino"

#: What Python callers may give: a name, the index of a CUDA GPU, a ``torch.device``, or None for the processor.
Device: TypeAlias = "str | int | torch.device | None"

#: torch's kinds of device that its runtime takes.
_TORCH: Final = "(cpu|cuda|mps|xpu)(:[0-9]+)?"


def device_name(device: Device) -> str:
    """Return the name of a device, as ``--device`` takes it; None is ``cpu``, a number the index of a CUDA GPU.

    Raises:
        TypeError: it is no device at all.

    >>> [device_name(device) for device in ("cuda:1", 0, None, " CPU ")]
    ['cuda:1', '0', 'cpu', 'cpu']
    """
    if device is None:
        return "cpu"
    if isinstance(device, str):
        name = device.strip()
    elif isinstance(device, Integral) and not isinstance(device, bool):
        name = str(int(device))
    elif type(device).__module__ == "torch" and type(device).__name__ == "device":  # torch itself stays unloaded
        name = str(device)
    else:
        given = type(device).__name__
        raise TypeError(f"device must be a name such as 'cpu', the index of a GPU, a torch.device or None, not {given}")
    return "cpu" if name.lower() in {"cpu", "cpu:0"} else name


def of_openvino(device: str) -> bool:
    """Whether a device asks for OpenVINO by its name.

    >>> [of_openvino(device) for device in ("openvino:GPU", "openvino", "cpu", "0")]
    [True, True, False, False]
    """
    return device.lower().partition(":")[0] == _OPENVINO


def is_cpu(device: str) -> bool:
    """Whether a device is the processor, by whichever runtime.

    >>> [is_cpu(device) for device in ("cpu", "openvino:CPU", "openvino", "0", "coreml")]
    [True, True, True, False, False]
    """
    return device.lower() in {"cpu", _OPENVINO, f"{_OPENVINO}:cpu"}


def onnx_providers(device: str, available: Sequence[str]) -> list[Any]:
    """Return the execution providers for a device as ONNX Runtime takes them, the wanted one first and the CPU last.

    Raises:
        DeviceError: the device is unknown, or this ONNX Runtime lacks it.

    >>> onnx_providers("cpu", ["CPUExecutionProvider"])
    ['CPUExecutionProvider']
    >>> onnx_providers("1", ["CUDAExecutionProvider", "CPUExecutionProvider"])
    [('CUDAExecutionProvider', {'device_id': '1'}), 'CPUExecutionProvider']
    """
    cpu: list[Any] = ["CPUExecutionProvider"]
    kind = device.lower()
    if kind == "cpu":
        return cpu
    if of_openvino(kind):
        raise DeviceError(f"device {device!r} belongs to OpenVINO: --runtime openvino")
    index = kind.removeprefix("cuda:") if kind != "cuda" else "0"
    options = {"device_id": index} if index.isascii() and index.isdecimal() else None
    kind = "cuda" if options else {"dml": "directml"}.get(kind, kind)
    if kind not in _PROVIDERS:
        raise DeviceError(f"unknown device {device!r}; the devices are {_KNOWN}")
    provider, need = _PROVIDERS[kind]
    if provider not in available:
        raise DeviceError(f"device {device!r} needs {need}; without it use device cpu")
    return [(provider, options) if options else provider, *cpu]


def openvino_device(device: str, available: Sequence[str]) -> str:
    """Return OpenVINO's name of a device: of ``cpu``, or of ``openvino:`` and its own (``GPU``, ``NPU``, ``AUTO``).

    Raises:
        DeviceError: it is none of OpenVINO's, or not in this machine.

    >>> openvino_device("openvino:gpu", ["CPU", "GPU"])
    'GPU'
    """
    if not is_cpu(device) and not of_openvino(device):
        raise DeviceError(f"device {device!r} is none of OpenVINO's: cpu, openvino:GPU, openvino:NPU, openvino:AUTO")
    name = "CPU" if is_cpu(device) else device.partition(":")[2].upper()
    # GPU means the first of several, which are listed as GPU.0, GPU.1.
    if name not in {"AUTO", *available, *(one.partition(".")[0] for one in available)}:
        raise DeviceError(
            f"OpenVINO finds no {name or 'such device'} here, only {', '.join(available)}: use device cpu"
        )
    return name


def torch_device(device: str) -> str:
    """Return torch's name of a device.

    Raises:
        DeviceError: it is of another runtime.

    >>> [torch_device(device) for device in ("cpu", "0", "mps")]
    ['cpu', 'cuda:0', 'mps']
    """
    name = f"cuda:{device}" if device.isascii() and device.isdecimal() else device.lower()
    if not re.fullmatch(_TORCH, name):
        raise DeviceError(f"device {device!r} is none of torch's: cpu, 0 (the index of a CUDA GPU), mps, xpu")
    return name


def check_training_device(device: str, *, gpus: int, mps: bool) -> str:
    """Return where ultralytics is to train: ``cpu``, ``mps``, or indices of GPUs such as ``0`` and ``0,1``.

    ``-1`` is the idlest GPU; ``gpus`` and ``mps`` are what torch sees.

    Raises:
        DeviceError: the device is unknown, or not in this machine.

    >>> [check_training_device(device, gpus=2, mps=False) for device in ("CPU", "cuda:1", "[0, 1]", "cuda")]
    ['cpu', '1', '0,1', '0']
    """
    words = [word.strip().removeprefix("cuda:") for word in device.lower().strip("()[] ").split(",")]
    words = ["0" if word == "cuda" else word for word in words]
    if words in (["cpu"], ["mps"], ["mps:0"]):
        if words != ["cpu"] and not mps:
            raise DeviceError(f"device {device!r} needs a GPU of Apple's and a torch built for it; use device=cpu")
        return words[0].partition(":")[0]
    if not all(word == "-1" or (word.isascii() and word.isdecimal()) for word in words):
        raise DeviceError(f"unknown device {device!r}; train on cpu, 0 (the index of a CUDA GPU), 0,1 (several) or mps")
    if not gpus:
        raise DeviceError(f"device {device!r} needs an NVIDIA GPU and a torch built for CUDA; use device=cpu")
    indices = [str(int(word)) for word in words]
    named = [index for index in indices if index != "-1"]
    if any(int(index) >= gpus for index in named) or len(indices) > gpus:
        raise DeviceError(
            f"device {device!r} is not in this machine: torch sees {gpus} GPU{'s' * (gpus > 1)}, from 0 on"
        )
    if len(set(named)) < len(named):
        raise DeviceError(f"device {device!r} names a GPU twice")
    return ",".join(indices)


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
    """Return the runtime for a model file or folder, without importing any.

    ``auto`` goes by the file: ONNX Runtime for ``.onnx``, OpenVINO for its folder, torch for ``.pt``; a device of
    OpenVINO's asks for OpenVINO, and so does bfloat16. It does not guess which would be faster: that differs between
    machines, and a result should not depend on which packages happen to be installed.

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
