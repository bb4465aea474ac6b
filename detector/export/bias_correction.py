"""Biases that make up for what rounding the weights does to a convolution's mean output.

With weights W, rounded to W′, and inputs of mean x̄ (a number a channel, on calibration photos), the output is off by
Σ (W′ − W) · x̄ on average; the bias takes that back. Nagel et al., "Data-Free Quantization Through Weight Equalization
and Bias Correction" (ICCV 2019), with means that are measured instead of derived. Borders, where the padding is 0,
are left out of account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.detector.export.rewrites import maker, stored


def correct_biases(source: Any, quantised: Any, batches: Iterable[npt.NDArray[np.float32]]) -> int:
    """Change the biases of a quantised ONNX model, in place.

    Args:
        source: the float ``onnx.ModelProto`` that it was made of.
        quantised: in the QDQ format, its convolutions called as in ``source``.
        batches: inputs, each (N, 3, H, W) float32.

    Returns:
        How many convolutions were corrected: those with rounded weights and a bias.
    """
    from onnx import numpy_helper

    floats = {node.name: node for node in source.graph.node if node.op_type == "Conv"}
    rounded = {}
    for node in quantised.graph.node:
        if node.op_type != "Conv" or len(node.input) != 3 or node.name not in floats:
            continue
        weight, bias = (maker(quantised.graph, name) for name in node.input[1:])
        if weight is not None and bias is not None and stored(source.graph, floats[node.name].input[1]) is not None:
            rounded[node.name] = (weight, bias)
    means = input_means(source, sorted({floats[name].input[0] for name in rounded}), batches)
    for name, (weight, bias) in rounded.items():
        seen, tensor = floats[name].input[:2]
        error = _values(quantised.graph, weight) - numpy_helper.to_array(stored(source.graph, tensor))
        # Each group of output channels sees its own part of the inputs; YOLO's convolutions have one group.
        groups = len(means[seen]) // error.shape[1]
        inputs = np.repeat(means[seen].reshape(groups, -1), len(error) // groups, axis=0)
        shift = (error.sum(axis=(2, 3)) * inputs).sum(axis=1)
        held, scale = (stored(quantised.graph, one) for one in bias.input[:2])
        steps = numpy_helper.to_array(held) - np.rint(shift / numpy_helper.to_array(scale)).astype(np.int32)
        held.CopyFrom(numpy_helper.from_array(steps, held.name))
    return len(rounded)


def input_means(
    model: Any, names: list[str], batches: Iterable[npt.NDArray[np.float32]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the mean of each channel of some (N, C, H, W) tensors, every batch of the same weight."""
    import onnx
    import onnxruntime

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    taken = {tensor.name for tensor in (*probe.graph.output, *probe.graph.input)}
    shape = ["n", "c", "h", "w"]
    infos = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in names]
    probe.graph.output.extend(info for info in infos if info.name not in taken)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the names of free sides above are new to it
    session = onnxruntime.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    computed = [name for name in names if name not in {tensor.name for tensor in probe.graph.input}]
    sums: dict[str, Any] = dict.fromkeys(names, 0.0)
    count = 0
    for batch in batches:
        given = {name: batch for name in names if name not in computed}
        # Asked for nothing it would give everything.
        found = session.run(computed, {model.graph.input[0].name: batch}) if computed else []
        answers = dict(zip(computed, found, strict=True))
        for name, values in {**given, **answers}.items():
            sums[name] = sums[name] + values.mean(axis=(0, 2, 3), dtype=np.float64)
        count += 1
    return {name: np.asarray(total / max(count, 1), dtype=np.float64) for name, total in sums.items()}


def _values(graph: Any, dequantise: Any) -> npt.NDArray[np.float64]:
    """Return the weights that a ``DequantizeLinear`` of stored integers gives, one scale a channel or one for all."""
    from onnx import numpy_helper

    steps, scale = (numpy_helper.to_array(stored(graph, name)).astype(np.float64) for name in dequantise.input[:2])
    values: npt.NDArray[np.float64] = steps * scale.reshape(-1, *[1] * (steps.ndim - 1))
    return values
