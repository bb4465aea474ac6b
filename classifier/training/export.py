"""Export: a trained classifier as ONNX that explains itself, accepted only once it answers as torch does.

``CalibratedNet`` is what is written: pixels in, honest probabilities out.
"""

from __future__ import annotations

import copy
import io
import json
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.crops.crop import CropOptions
from maskdet.classifier.crops.window import fit_whole
from maskdet.classifier.inference.runtime import ClassifierRuntime
from maskdet.classifier.networks.specs import Triple
from maskdet.errors import WeightsError
from maskdet.extras import require
from maskdet.files.atomic import create_beside
from maskdet.imaging.tensor import to_tensor

#: Largest difference allowed between torch's and ONNX Runtime's probabilities. Both compute in float32, in another
#: order.
TOLERANCE: Final = 1e-4

#: Read by every ONNX Runtime of the last years.
_OPSET: Final = 17

#: Inputs tried: so many smooth ones and so many of noise.
_TRIALS: Final = 8


def export_classifier(
    module: nn.Module,
    path: str | Path,
    *,
    name: str,
    side: int,
    mean: Triple,
    std: Triple,
    margin: float,
    square: bool,
    temperature: float = 1.0,
    metadata: Mapping[str, str] | None = None,
    crops: Sequence[npt.NDArray[np.uint8]] = (),
) -> Path:
    """Write a classifier as ONNX: (N, 3, side, side) float32 RGB in 0 to 1, to (N, 3) float32 probabilities.

    Normalisation, temperature and softmax are in the graph; N is free. The file appears only once ONNX Runtime answers
    as torch does, within ``TOLERANCE`` in probability, on noise, on smooth pictures and on ``crops``.

    Args:
        module: (N, 3, side, side) float32 normalised RGB → (N, 3) float32 logits in the order of ``CLASS_NAMES``;
            neither its mode, its device nor its weights are changed.
        path: the ``.onnx`` file to write.
        name: of the model.
        side: width and height of the input in pixels.
        mean: of R, G, B on the scale 0 to 1, subtracted from pixels.
        std: of R, G, B, divided by afterwards.
        margin: training crops reached so far over the face box, as a fraction of the box's side.
        square: training crops were squares around the box's centre.
        temperature: divides the logits, see ``maskdet.classifier.training.ship``.
        metadata: more of what the file should carry, such as ``maskdet_training``; without machine paths.
        crops: real face crops to compare on as well, each (h, w, 3) uint8 BGR.

    Raises:
        MissingExtraError: onnx is not installed.
        ValueError: an option is out of range, ``metadata`` names a key that the export writes itself, or the module
            gives another shape.
        WeightsError: the file cannot be written, or ONNX Runtime answers differently; nothing is then left.
    """
    onnx = require("onnx", what="exporting a classifier", extra="train")
    CropOptions(margin, square, side)  # its ranges hold here too
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be above 0, not {temperature}")
    if min(std) <= 0:
        raise ValueError(f"std must be above 0, not {std}")
    properties = _properties(name, side, margin, square, temperature)
    if taken := properties.keys() & (metadata or {}).keys():
        raise ValueError(f"the export itself writes the metadata {', '.join(sorted(taken))}")
    network = copy.deepcopy(module).float().cpu()
    net = CalibratedNet(network, mean=mean, std=std, temperature=temperature).eval()
    trials = _trials(side, square, crops)
    with torch.inference_mode():
        expected = [net(torch.from_numpy(batch)).numpy() for batch in trials]
    wanted = (len(trials[0]), len(CLASS_NAMES))
    if expected[0].shape != wanted:
        raise ValueError(f"the network gives {expected[0].shape} for {len(trials[0])} crops, expected {wanted}")

    proto = onnx.load_from_string(_graph(net, side))
    onnx.helper.set_model_props(proto, {**properties, **(metadata or {})})
    onnx.checker.check_model(proto, full_check=True)
    path = Path(path)
    try:
        handle, part = create_beside(path, suffix=".onnx")  # the runtime knows a model by its ending
    except OSError as error:
        raise WeightsError(path, f"cannot be written ({error.strerror})") from error
    try:
        with os.fdopen(handle, "wb") as file:
            try:
                file.write(proto.SerializeToString())
                file.flush()
            except OSError as error:
                raise WeightsError(path, f"cannot be written ({error.strerror})") from error
            difference = _difference(ClassifierRuntime(part, name=name), trials, expected)
            if not difference <= TOLERANCE:  # NaN is not within it either
                raise WeightsError(path, f"differs from torch by {difference:.2g} in probability: not kept")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _graph(net: nn.Module, side: int) -> bytes:
    written = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that torch prefers needs one more package (onnxscript), and this one does all that is needed.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            net,
            (torch.zeros(2, 3, side, side),),
            written,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_axes={"images": {0: "batch"}, "probabilities": {0: "batch"}},
        )
    return written.getvalue()


def _properties(name: str, side: int, margin: float, square: bool, temperature: float) -> dict[str, str]:
    """Return what the file says of itself; names, imgsz, stride and task as in the files of ``yolo export``."""
    from maskdet.version import __version__

    if square:
        cut = f"square, the box's centre and longer side, {margin:g} of it more on every side; "
        cut += "over the picture's edge, the edge repeated"
    else:
        cut = f"the box, {margin:g} of its side more on every side, clipped to the picture"
    preprocessing = {
        "cut": cut,
        "resize": "to side × side: averaged over areas where it shrinks, bilinear where it grows",
        "layout": "NCHW",
        "channels": "RGB",
        "dtype": "float32",
        "range": "0 to 1",
    }
    return {
        "name": name,
        "description": "maskdet face-mask classifier of face crops",
        "author": "maskdet",
        "license": "AGPL-3.0-or-later",
        "version": __version__,
        "task": "classify",
        "names": repr(dict(enumerate(CLASS_NAMES))),
        "imgsz": json.dumps([side, side]),
        "stride": "1",
        "batch": "1",
        "margin": repr(float(margin)),
        "square": json.dumps(square),
        "temperature": repr(float(temperature)),
        "maskdet": json.dumps({"schema": "maskdet-model/1", "preprocessing": preprocessing}, ensure_ascii=False),
    }


def _trials(side: int, square: bool, crops: Sequence[npt.NDArray[np.uint8]]) -> list[npt.NDArray[np.float32]]:
    """Return batches to compare on: smooth pictures, noise, a single black one, and the crops given."""
    rng = np.random.default_rng(0)
    smooth = [
        fit_whole(rng.integers(0, 256, (grain, grain, 3), dtype=np.uint8), side) for grain in range(2, 2 + _TRIALS)
    ]
    noise = list(rng.integers(0, 256, (_TRIALS, side, side, 3), dtype=np.uint8))
    batches = [smooth, noise, [np.zeros((side, side, 3), np.uint8)]]
    batches += [[fit_whole(crop, side, square=square)] for crop in crops]
    return [to_tensor(batch) for batch in batches]


def _difference(
    runtime: ClassifierRuntime, trials: Sequence[npt.NDArray[np.float32]], expected: Sequence[npt.NDArray[np.float32]]
) -> float:
    answers = [runtime(batch) for batch in trials]
    return float(np.concatenate([np.abs(a - b).ravel() for a, b in zip(answers, expected, strict=True)]).max())


class CalibratedNet(nn.Module):  # type: ignore[misc]
    """A trained classifier with what stands before and after it: normalisation, temperature and softmax."""

    def __init__(
        self,
        network: nn.Module,
        *,
        mean: Triple,
        std: Triple,
        temperature: float,
    ) -> None:
        """Put them together; ``mean`` and ``std`` of R, G, B on the scale 0 … 1."""
        super().__init__()
        self.network = network
        self.temperature = temperature
        self.register_buffer("scale", 1 / torch.tensor(std).view(1, 3, 1, 1))
        self.register_buffer("shift", -torch.tensor(mean).view(1, 3, 1, 1) * self.scale)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, classes) float32 probabilities of (N, 3, side, side) float32 RGB images in 0 … 1."""
        logits = self.network(images * self.scale + self.shift)
        return torch.softmax(logits / self.temperature, dim=1)
