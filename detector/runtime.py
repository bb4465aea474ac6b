"""Runtimes: each turns a ready batch into the network's raw output, and knows what the model file says of itself."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.detector.cpu import usable_cores
from maskdet.errors import WeightsError
from maskdet.extras import require
from maskdet.onnx_session import open_session


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model file says of itself.

    Attributes:
        name: how results call it.
        imgsz: longer side of its input, pixels.
        stride: the input's sides are multiples of this.
        dynamic: the input may be any such rectangle and batch, not only ``imgsz`` × ``imgsz``.
        metadata: everything else that the file carries.
    """

    name: str
    imgsz: int
    stride: int
    dynamic: bool
    metadata: Mapping[str, str]


class Runtime(Protocol):
    """A loaded network."""

    spec: ModelSpec

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run (N, 3, H, W) float32 RGB in 0 to 1; return (N, 4 + C, A), or (N, A, 6) from an end-to-end network."""
        ...


def check_class_names(path: Path, names: Mapping[int, str]) -> None:
    """Refuse a model of other classes.

    Raises:
        WeightsError: the names differ from ``CLASS_NAMES`` or their order.
    """
    if [names.get(index) for index in range(len(names))] != list(CLASS_NAMES):
        shown = ", ".join(list(names.values())[:4]) + (", …" if len(names) > 4 else "")
        raise WeightsError(path, f"not a mask detector: its classes are {shown}; expected {', '.join(CLASS_NAMES)}")


class OnnxRuntime:
    """ONNX Runtime on the CPU, or on what ``device`` names."""

    def __init__(self, path: Path, *, name: str, device: str = "cpu", threads: int = 0) -> None:
        """Load ``path``.

        Args:
            path: an ONNX file written by ``maskdet export`` or by ``yolo export``.
            name: how results call the model.
            device: ``"cpu"``, or a CUDA index such as ``"0"`` where onnxruntime-gpu is installed.
            threads: intra-op threads, 0 for one a core.

        Raises:
            WeightsError: the file is not ONNX, or not a mask detector.
        """
        self._session = open_session(path, device=device, threads=threads)
        self._input = self._session.get_inputs()[0].name
        self.spec = self._read_spec(path, name)

    def _read_spec(self, path: Path, name: str) -> ModelSpec:
        metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        shape = self._session.get_inputs()[0].shape
        if metadata.get("task") == "classify":
            raise WeightsError(path, "is a classifier, not a detector: it belongs to maskdet classify --weights")
        try:
            names = {int(key): str(value) for key, value in ast.literal_eval(metadata["names"]).items()}
            size = json.loads(metadata["imgsz"])
            stride = int(metadata["stride"])
        except (KeyError, ValueError, SyntaxError, AttributeError) as error:
            raise WeightsError(path, "not a mask detector: the file has no class names, size and stride") from error
        if metadata.get("task", "detect") != "detect" or len(shape) != 4:
            raise WeightsError(path, f"not a mask detector: its task is {metadata.get('task', 'unknown')}")
        check_class_names(path, names)
        dynamic = not all(isinstance(side, int) for side in shape)
        return ModelSpec(name, max(size) if isinstance(size, list) else int(size), stride, dynamic, metadata)

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run a batch; see ``Runtime``."""
        output: npt.NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return output


class TorchRuntime:
    """A ``.pt`` checkpoint run by torch, as ultralytics loads it; needs the ``train`` extra."""

    def __init__(self, path: Path, *, name: str, device: str = "cpu", end_to_end: bool = False) -> None:
        """Load ``path``.

        Args:
            path: the checkpoint.
            name: how results call the model.
            device: ``"cpu"`` or a GPU index.
            end_to_end: answer with the head that needs no NMS, where the network has one (YOLO26).

        Raises:
            MissingExtraError: torch or ultralytics is not installed.
            WeightsError: the file is not a YOLO detection checkpoint of our classes.
        """
        require("ultralytics", what=f"{path.name} (a .pt file)", extra="train")
        import torch
        from ultralytics.nn.tasks import load_checkpoint

        # ultralytics sets one thread for its loaders when imported; inference wants every core.
        torch.set_num_threads(usable_cores())
        self._torch = torch
        self._device = torch.device(f"cuda:{device}" if device.isdigit() else device)
        try:
            model, _ = load_checkpoint(str(path), device=self._device)
            names = {int(key): str(value) for key, value in model.names.items()}
            stride = max(int(model.stride.max()), 32)
            model.end2end = end_to_end
            model = model.fuse(verbose=False)
        except Exception as error:  # unpickling a stranger's file can raise anything
            raise WeightsError(path, f"not a YOLO detection checkpoint ({str(error).splitlines()[0][:120]})") from error
        check_class_names(path, names)
        self._model = model.eval()
        imgsz = model.args.get("imgsz", 640) if isinstance(model.args, dict) else getattr(model.args, "imgsz", 640)
        self.spec = ModelSpec(name, int(imgsz), stride, True, {})

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run a batch; see ``Runtime``."""
        with self._torch.inference_mode():
            output = self._model(self._torch.from_numpy(batch).to(self._device))
        tensor = output[0] if isinstance(output, (list, tuple)) else output
        array: npt.NDArray[np.float32] = tensor.float().cpu().numpy()
        return array


def load_runtime(path: Path, *, name: str, device: str = "cpu", threads: int = 0) -> Runtime:
    """Load a model file by its ending: ``.onnx`` or ``.pt``.

    Raises:
        WeightsError: the file is missing, of another kind, or not a mask detector.
        MissingExtraError: a ``.pt`` without the ``train`` extra.
    """
    if not path.is_file():
        raise WeightsError(path, "no such file; without --weights the shipped model is used")
    if path.suffix == ".onnx":
        return OnnxRuntime(path, name=name, device=device, threads=threads)
    if path.suffix == ".pt":
        return TorchRuntime(path, name=name, device=device)
    raise WeightsError(path, "unknown kind of weights: expected .onnx or .pt")
