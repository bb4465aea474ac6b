"""A checkpoint run by torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.detector.inference.runtime.spec import ModelSpec, checked_answer, class_order
from maskdet.errors import DeviceError, MaskdetError, WeightsError, first_line
from maskdet.extras import require
from maskdet.sessions.devices import torch_device
from maskdet.sessions.model_file import SIDES, STRIDES, check_names
from maskdet.sessions.processor import usable_cores

#: What a network raises whose state a stranger made up, once this ultralytics is known to take what it is given.
MADE_UP: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class TorchRuntime:
    """A ``.pt`` checkpoint run by torch, as ultralytics loads it; needs the ``train`` extra."""

    def __init__(
        self, path: Path, *, name: str, device: str = "cpu", end_to_end: bool = False, trust_weights: bool = False
    ) -> None:
        """Load ``path``.

        Args:
            device: ``"cpu"``, a GPU index, or another of torch's names such as ``"mps"``.
            end_to_end: answer with the head that needs no NMS, where the network has one (YOLO26).
            trust_weights: unpickle the file whatever it names, which runs what it says.

        Raises:
            MissingExtraError: torch or ultralytics is not installed.
            WeightsError: the file is not a YOLO detection checkpoint of our classes.
            DeviceError: the device is not there.
        """
        require("ultralytics", what=f"{path.name} (a .pt file)", extra="train")
        import torch
        from ultralytics.nn.tasks import load_checkpoint

        from maskdet.detector.inference.runtime.ultralytics_bridge import check_insides, safe_loading

        # ultralytics sets one thread for its loaders when imported; inference wants every core.
        torch.set_num_threads(usable_cores())
        self._torch = torch
        self._device = torch.device(torch_device(device))
        if self._device.type == "cuda" and not torch.cuda.is_available():
            raise DeviceError(f"device {device!r} needs an NVIDIA GPU and a torch built for CUDA; use device cpu")
        check_insides()
        try:
            with safe_loading(trust_weights):
                model, _ = load_checkpoint(str(path), device=self._device)
            names, imgsz, stride = _described(model)
            model.end2end = end_to_end
            model = model.fuse(verbose=False)
        except MaskdetError:
            raise
        except MADE_UP as error:
            raise WeightsError(path, f"not a YOLO detection checkpoint ({first_line(error)})") from error
        names, order = class_order(names)
        self._model = model.eval()
        self._path = path
        self.spec = ModelSpec(name, imgsz, stride, True, {}, names, order, path=path)

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run a batch; see ``Runtime``."""
        try:
            with self._torch.inference_mode():
                output = self._model(self._torch.from_numpy(batch).to(self._device))
            tensor = output[0] if isinstance(output, (list, tuple)) else output
            array: npt.NDArray[np.float32] = tensor.float().cpu().numpy()
        except MADE_UP as error:
            raise WeightsError(self._path, f"cannot be run ({first_line(error)})") from error
        return checked_answer(self._path, self.spec, array, len(batch))


def _described(model: Any) -> tuple[tuple[str, ...], int, int]:
    """Return the classes of a loaded network, the size it was trained at and its stride.

    Raises:
        ValueError: a value that cannot be.
    """
    pairs = model.names.items() if isinstance(model.names, dict) else enumerate(model.names)
    named = sorted((int(key), str(value)) for key, value in pairs)
    stride = max(int(model.stride.max()), 32)
    imgsz = int(model.args["imgsz"] if isinstance(model.args, dict) and "imgsz" in model.args else 640)
    if not (SIDES[0] <= imgsz <= SIDES[1] and stride <= STRIDES[1]):
        raise ValueError(f"its size is {imgsz} and its stride {stride}")
    return check_names([name for _, name in named]), imgsz, stride
