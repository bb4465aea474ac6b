"""Reading ``.pt`` checkpoints, which are programs to a plain unpickler, without running what they say. Imports torch.

A checkpoint is admitted in three steps: its names are looked at before anything is made of them, torch's
``weights_only`` unpickler makes only what is on the list, and the tensors must be as large as the file is. Classes are
made bare and given their state; none is ever called.
"""

from __future__ import annotations

import pickletools
import secrets
import threading
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

import numpy as np
import torch

from maskdet.errors import WeightsError, first_line

#: What a checkpoint says of its network, its arguments and its training: a hundred times an everyday one.
_MAX_PICKLE: Final = 64 << 20

#: Names that torch's own unpickler admits and that checkpoints need; the rest of its list is not wanted here.
_TORCH_NAMES: Final = frozenset(
    {
        "__builtin__.set",
        "builtins.set",
        "collections.OrderedDict",
        "_codecs.encode",
        "torch.Size",
        "torch.device",
        "torch.nn.parameter.Parameter",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor",
    }
)

#: Packages whose networks' layers are admitted, each class by name.
_LAYERS: Final = ("torch.nn.modules", "ultralytics.nn.modules")

#: Modules with other classes that ultralytics leaves in checkpoints.
_OTHER_MODULES: Final = ("ultralytics.nn.tasks", "ultralytics.utils.loss", "ultralytics.utils.tal")

#: Names of older releases, and where the class is now.
_RENAMED: Final = {
    "ultralytics.nn.modules.block.Silence": "torch.nn.modules.linear.Identity",
    "ultralytics.nn.tasks.YOLOv10DetectionModel": "ultralytics.nn.tasks.DetectionModel",
    "ultralytics.utils.loss.v10DetectLoss": "ultralytics.utils.loss.E2EDetectLoss",
}

_NAMESPACES: Final = ("ultralytics.utils.IterableSimpleNamespace", "ultralytics.yolo.utils.IterableSimpleNamespace")

#: torch keeps one list of admitted names for the whole process.
_lock = threading.Lock()

_WAY_OUT: Final = "; nothing of it was run. Where you trust its maker: --trust-weights (trust_weights=True)"


def read_checkpoint(path: Path, *, trusted: bool = False) -> dict[str, Any]:
    """Read a checkpoint of ultralytics', without running anything that it may carry.

    Args:
        path: the ``.pt`` file.

    Returns:
        What it holds, with a ``torch.nn.Module`` under ``"ema"`` or ``"model"``; tensors on the CPU.

    Raises:
        WeightsError: it is missing, damaged, no checkpoint of a network, or names what is not admitted.
    """
    if not path.is_file():
        raise WeightsError(path, "no such file")
    content = _read_all(path) if trusted else _read_admitted(path)
    network = (content.get("ema") or content.get("model")) if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(network, torch.nn.Module):
        raise WeightsError(path, "not a YOLO detection checkpoint: it holds no network of ultralytics'")
    if not trusted:
        _check_tensors(network, path)
    return content


def _read_all(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # unpickling can raise anything
        raise WeightsError(path, f"not a YOLO detection checkpoint ({first_line(error)})") from error


def _read_admitted(path: Path) -> Any:
    names = _names(path)
    admitted: list[Any] = []
    seal = secrets.token_hex(16)
    for name in sorted(names):
        made = _admit(name)
        if made is None:
            if not _known_to_torch(name):
                raise WeightsError(path, f"names {name[:80]!r}, which is no part of a network{_WAY_OUT}")
        elif isinstance(made, type) and made.__module__ != __name__:
            # torch sets the state of an object only where its class is on the list; under a name that no file can
            # know, the class itself is there without being callable from the file.
            admitted += [(_bare(made), name), (made, f"{seal}.{name}")]
        else:
            admitted.append((made, name))
    if any(name.endswith(".dtype") for name in names):
        admitted.append((_NumberType, f"{seal}.dtype"))
    try:
        with _lock, torch.serialization.safe_globals(admitted):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or made-up file can raise anything
        raise WeightsError(path, f"not a YOLO detection checkpoint ({first_line(error)}){_WAY_OUT}") from error


def _names(path: Path) -> set[str]:
    """Return every global name in a checkpoint's pickle, as ``module.name``.

    Raises:
        WeightsError: it is not a zip archive as ``torch.save`` writes it, or claims to be larger than it is.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            empty = path.stat().st_size == 0
            reason = "it is empty" if empty else "no archive as torch.save writes it since version 1.6" + _WAY_OUT
            raise WeightsError(path, f"not a YOLO detection checkpoint: {reason}")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if any(PurePosixPath(entry.filename).name == "constants.pkl" for entry in entries):
                reason = "a TorchScript program: give the .pt it was made from"
                raise WeightsError(path, f"not a YOLO detection checkpoint but {reason}")
            # torch.save stores as it is: what adds up to more is compressed, or stands there several times.
            if sum(entry.file_size for entry in entries) > path.stat().st_size:
                raise WeightsError(path, "not a YOLO detection checkpoint: its entries are larger than the file")
            pickles = [entry for entry in entries if PurePosixPath(entry.filename).name.endswith(".pkl")]
            if len(pickles) != 1 or pickles[0].file_size > _MAX_PICKLE:
                reason = f"{len(pickles)} pickles in it" if len(pickles) != 1 else "its pickle is too large"
                raise WeightsError(path, f"not a YOLO detection checkpoint: {reason}")
            return set(_globals(archive.read(pickles[0])))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise WeightsError(path, f"not a YOLO detection checkpoint: damaged ({first_line(error)})") from error


def _globals(pickled: bytes) -> Iterator[str]:
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name in {"GLOBAL", "INST"}:
            yield str(argument).replace(" ", ".")
        elif opcode.name == "STACK_GLOBAL":
            raise ValueError("a pickle of another protocol than torch's")


def _known_to_torch(name: str) -> bool:
    """Whether torch admits a name and it is no more than a kind of number or a way to put a tensor together."""
    module, _, last = name.rpartition(".")
    value = getattr(torch, last, None)
    return name in _TORCH_NAMES or (module == "torch" and (isinstance(value, torch.dtype) or last.endswith("Storage")))


def _admit(name: str) -> Any:
    """Return what a name in a checkpoint stands for; None where it is not on the list."""
    stand_ins = _stand_ins()
    if name in stand_ins:
        return stand_ins[name]
    module, _, last = _RENAMED.get(name, name).rpartition(".")
    if not (module in _OTHER_MODULES or any(f"{module}.".startswith(f"{one}.") for one in _LAYERS)):
        return None
    try:
        value = getattr(import_module(module), last, None)
    except ImportError:
        return None
    if not isinstance(value, type) or not value.__module__.startswith((*_LAYERS, *_OTHER_MODULES)):
        return None
    is_loss = module in _OTHER_MODULES[1:] and value.__module__ == module
    return value if is_loss or issubclass(value, torch.nn.Module) else None


def _stand_ins() -> dict[str, Any]:
    """Return what stands for the names of other things than layers."""
    found: dict[str, Any] = {"numpy.dtype": _NumberType}
    found |= dict.fromkeys(("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"), _number)
    for module in ("pathlib", "pathlib._local"):
        found |= {f"{module}.PosixPath": _posix_path, f"{module}.WindowsPath": _windows_path}
    return found | dict.fromkeys(_NAMESPACES, import_module("ultralytics.utils").IterableSimpleNamespace)


def _bare(kind: Any) -> type:
    """Return a stand-in for a class that makes an object of it without arguments and without ``__init__``."""

    def new(_: type) -> Any:
        return kind.__new__(kind)

    return type(kind.__name__, (), {"__new__": new})


def _posix_path(*parts: str) -> str:
    return str(PurePosixPath(*parts))


def _windows_path(*parts: str) -> str:
    return str(PureWindowsPath(*parts))


class _NumberType:
    """Stands for a NumPy dtype of plain numbers."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.dtype = np.dtype(code.decode("ascii") if isinstance(code, bytes) else str(code))
        if self.dtype.kind not in "biuf":
            raise ValueError(f"NumPy type {self.dtype}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if len(state) > 1 and state[1] == ">":
            self.dtype = self.dtype.newbyteorder(">")


def _number(kind: _NumberType, data: bytes) -> int | float | bool:
    value: int | float | bool = np.frombuffer(data, kind.dtype, count=1)[0].item()
    return value


def _check_tensors(network: torch.nn.Module, path: Path) -> None:
    """Refuse tensors that are views larger than what the file holds, or that hold nothing at all.

    Raises:
        WeightsError: one is.
    """
    try:
        tensors = [*network.parameters(), *network.buffers()]
        real = all(
            tensor.device.type == "cpu"
            and tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes() <= path.stat().st_size
            for tensor in tensors
        )
    except (AttributeError, TypeError, RuntimeError) as error:  # modules whose state the file made up
        raise WeightsError(path, f"not a YOLO detection checkpoint ({first_line(error)})") from error
    if not real:
        raise WeightsError(path, "not a YOLO detection checkpoint: tensors larger than the file")
