"""The end of a YOLOv8 network, laid out as processors like it: same arithmetic, another order of the axes.

A side of a box is a mean of sixteen distances, weighted by a softmax over sixteen numbers of every anchor
("distribution focal loss", Li et al. 2020). ultralytics' graph puts the sixteen on an inner axis, where a softmax must
jump through memory, and takes the mean with a convolution. On the last axis the numbers lie side by side, and the mean
is a product of matrices. What it brings is in ``docs/experiments.md``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from maskdet.detector.export.rewrites.graph import attribute, maker, only_user, stored

#: (batch, side, bin, anchor) → (batch, bin, side, anchor): ultralytics' order.
_BINS_INSIDE: Final = [0, 2, 1, 3]

#: (batch, side, bin, anchor) → (batch, side, anchor, bin).
_BINS_LAST: Final = [0, 1, 3, 2]


def put_bins_last(model: Any) -> bool:
    """Rewrite the decoding of the box distribution in an ONNX model, in place.

    Args:
        model: an ``onnx.ModelProto``.

    Returns:
        Whether there was one in ultralytics' layout; else nothing is changed.
    """
    from onnx import helper, numpy_helper

    graph = model.graph
    for softmax in [node for node in graph.node if node.op_type == "Softmax"]:
        transpose = maker(graph, softmax.input[0])
        mean = only_user(graph, softmax.output[0])
        if transpose is None or mean is None or (transpose.op_type, mean.op_type) != ("Transpose", "Conv"):
            continue
        order, axis = attribute(transpose, "perm"), attribute(softmax, "axis")
        distances = stored(graph, mean.input[1])
        if (
            order is None
            or axis is None
            or distances is None
            or (list(order.ints), axis.i, len(mean.input)) != (_BINS_INSIDE, 1, 2)
            or [side for at, side in enumerate(distances.dims) if at != 1] != [1, 1, 1]
            or only_user(graph, transpose.output[0]) is not softmax
        ):
            continue
        order.ints[:], axis.i = _BINS_LAST, 3
        column = np.ascontiguousarray(numpy_helper.to_array(distances).reshape(-1, 1))
        distances.CopyFrom(numpy_helper.from_array(column, distances.name))
        product = helper.make_node("MatMul", list(mean.input), list(mean.output), name=mean.name)
        # Their shapes are others now; what follows is reshaped to (batch, side, anchor) either way.
        stale = {transpose.output[0], softmax.output[0], product.output[0]}
        infos = [info for info in graph.value_info if info.name not in stale]
        nodes = [product if node is mean else node for node in graph.node]
        del graph.value_info[:], graph.node[:]
        graph.value_info.extend(infos)
        graph.node.extend(nodes)
        return True
    return False
