"""Weights kept in half precision: a file of half the size that computes in float32 as before.

Each weight is stored as float16 under its own name, as ``maskdet train`` looks for it, and widened by a ``Cast`` that a
runtime does once, as it loads. Rounding to eleven significant bits moves a weight by 0.05 % at most; what that does to
the answers is measured by ``tools/halve_weights.py``, which writes such files.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

#: Smaller tensors stay as they are: biases, and the constants of the boxes' decoding, save nothing.
LEAST_NUMBERS: Final = 1024


def halve_weights(model: Any) -> int:
    """Store the large float32 tensors of an ONNX model as float16, in place.

    Args:
        model: an ``onnx.ModelProto``.

    Returns:
        How many were; tensors with a value that float16 cannot hold stay as they are.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    wide: dict[str, str] = {}
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < LEAST_NUMBERS:
            continue
        values = numpy_helper.to_array(tensor)
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        wide[tensor.name] = f"{tensor.name}_float32"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))
    for node in graph.node:
        for at, name in enumerate(node.input):
            node.input[at] = wide.get(name, name)
    casts = [helper.make_node("Cast", [name], [to], name=to, to=TensorProto.FLOAT) for name, to in wide.items()]
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return len(casts)
