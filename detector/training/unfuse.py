"""An exported detector as a network that can be trained on: the inverse of the fusion that export does.

Export folds every batch normalisation into the convolution before it. Training needs it back, and its statistics with
it: they are measured on photos. With μ and σ² the mean and variance of a convolution's output, a scale of √(σ² + ε) and
a shift of b + μ, normalisation in inference gives √(σ² + ε) · (y − μ) / √(σ² + ε) + b + μ = y + b, the exported layer
itself; and in training, where the batch's own statistics take the place of μ and σ², nearly so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskdet.detector.inference.runtime.spec import NETWORK_KEY
from maskdet.detector.inference.thresholds import read_calibration
from maskdet.errors import WeightsError, first_line
from maskdet.extras import require
from maskdet.sessions.model_file import check_external_data, read_names

#: Photos that statistics are measured on.
STATISTICS_PHOTOS: Final = 64

#: Longer side of the network's input while they are measured, in pixels.
STATISTICS_IMGSZ: Final = 416


def unfuse(source: Path, photos: Sequence[Path], target: Path) -> Path:
    """Write an exported detector as a checkpoint that ``YOLO(…).train`` can start from.

    Args:
        source: an ONNX file that ``maskdet export`` wrote, in float32.
        target: the ``.pt`` file to write.

    Raises:
        MissingExtraError: the ``train`` extra is not installed.
        WeightsError: the file does not say which network it is, or does not hold its weights by name.
    """
    require("ultralytics", what="training from an ONNX file", extra="train")
    onnx = require("onnx", what="training from an ONNX file", extra="train")
    import torch
    from ultralytics.nn.tasks import DetectionModel

    from maskdet.detector.inference.runtime.ultralytics_bridge import safe_loading

    check_external_data(source)
    try:
        proto = onnx.load(source)
    except Exception as error:  # onnx and protobuf have no error in common
        raise WeightsError(source, f"not an ONNX model ({first_line(error)})") from error
    known = {entry.key: entry.value for entry in proto.metadata_props}
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    try:
        description = _description(known, source)
        names = dict(enumerate(read_names(known.get("names", ""))))
        with safe_loading():
            network = DetectionModel(description, nc=len(names), verbose=False)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, OSError) as error:
        raise WeightsError(source, f"does not say which network it is ({first_line(error)})") from error
    network.names = names
    network.eval()
    with torch.no_grad():
        _load_fused(network, weights, source)
        _calibrate(network, read_calibration(known))
        _measure(network, photos)
    torch.save({"model": network, "train_args": {"task": "detect"}, "date": "", "version": ""}, target)
    return target


def _description(known: dict[str, str], source: Path) -> Any:
    """Return the network as ultralytics describes it: from the metadata, or by the name that it started from."""
    if NETWORK_KEY in known:
        return json.loads(known[NETWORK_KEY])
    start = json.loads(known.get("maskdet_training", "{}")).get("start")
    if not start:
        raise WeightsError(source, "does not say which network it is: train from its .pt file")
    return f"{Path(str(start)).stem}.yaml"


def _load_fused(network: Any, weights: dict[str, Any], source: Path) -> None:
    """Put fused weights into an unfused network; each normalisation adds its bias and does nothing else."""
    import torch

    with_norm = dict(_normalised(network))
    for name, module in network.named_modules():
        if not isinstance(module, torch.nn.Conv2d) or name.endswith("dfl.conv"):
            continue
        kernel, bias = weights.get(f"{name}.weight"), weights.get(f"{name}.bias")
        if kernel is None or bias is None or kernel.shape[2:] != tuple(module.weight.shape[2:]):
            raise WeightsError(source, f"holds no float32 weights of {name}: train from its .pt file")
        _widen(module, with_norm.get(name), kernel.shape)
        module.weight.copy_(torch.from_numpy(kernel.copy()))
        norm = with_norm.get(name)
        if norm is None:
            module.bias.copy_(torch.from_numpy(bias.copy()))
            continue
        norm.bias.copy_(torch.from_numpy(bias.copy()))
        norm.weight.fill_(1.0)
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)


def _calibrate(network: Any, said: Mapping[str, Any] | None) -> None:
    """Let the head's last convolutions do what the file's calibration does to the logits: logit / T + bias."""
    if said is None:
        return
    import torch

    head = network.model[-1]
    for branches in (getattr(head, name, None) or () for name in ("cv3", "one2one_cv3")):
        for branch in branches:
            temperature, bias = (torch.tensor(said[key]) for key in ("temperature", "bias"))  # one, or one a class
            branch[-1].weight.div_(temperature.reshape(-1, 1, 1, 1))
            branch[-1].bias.div_(temperature).add_(bias)


def _widen(conv: Any, norm: Any, shape: tuple[int, ...]) -> None:
    """Give a convolution and its normalisation the file's channels.

    The head's width depends on the number of classes of the weights that training once started from.
    """
    import torch

    if tuple(conv.weight.shape) == shape:
        return
    conv.out_channels, conv.in_channels = shape[0], shape[1] * conv.groups
    conv.weight = torch.nn.Parameter(torch.empty(shape))
    if conv.bias is not None:
        conv.bias = torch.nn.Parameter(torch.empty(shape[0]))
    if norm is not None:
        norm.num_features = shape[0]
        norm.weight, norm.bias = (torch.nn.Parameter(torch.empty(shape[0])) for _ in range(2))
        norm.running_mean, norm.running_var = torch.zeros(shape[0]), torch.ones(shape[0])


def _normalised(network: Any) -> list[tuple[str, Any]]:
    """Return the name of each convolution that a normalisation follows, with that normalisation."""
    from ultralytics.nn.modules import Conv

    return [(f"{name}.conv", module.bn) for name, module in network.named_modules() if isinstance(module, Conv)]


def _measure(network: Any, photos: Sequence[Path]) -> None:
    """Measure what each normalisation sees and make it normalise that, with the network's answers unchanged."""
    import torch

    from maskdet.detector.inference.letterbox import Letterbox
    from maskdet.imaging.decode import decode_file
    from maskdet.imaging.tensor import to_tensor

    sums: dict[str, Any] = {}

    def note(name: str) -> Any:
        def hook(_module: Any, _inputs: Any, output: Any) -> None:
            flat = output.double().transpose(0, 1).flatten(1)
            row = torch.stack([torch.full_like(flat[:, 0], flat.shape[1]), flat.sum(1), flat.square().sum(1)])
            sums[name] = sums.get(name, 0) + row

        return hook

    pairs = dict(_normalised(network))
    modules = dict(network.named_modules())
    hooks = [modules[name].register_forward_hook(note(name)) for name in pairs]
    step = max(len(photos) // STATISTICS_PHOTOS, 1)
    for photo in photos[::step][:STATISTICS_PHOTOS]:
        image = decode_file(photo)
        fitted = Letterbox.fit((image.shape[0], image.shape[1]), STATISTICS_IMGSZ)
        network(torch.from_numpy(np.ascontiguousarray(to_tensor([fitted.apply(image)]))))
    for hook in hooks:
        hook.remove()
    for name, norm in pairs.items():
        count, total, squares = sums[name]
        mean = total / count
        variance = (squares / count - mean.square()).clamp(min=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)
