"""A 1×1 convolution of enlarged channels, done before they are enlarged: same answer, a quarter of the work.

YOLO's neck enlarges a feature map by repeating pixels, joins it with a finer one and convolves both, 1×1. Such a
convolution sees one pixel at a time and is linear, so with weights W = [W₁ W₂] over the joined channels

    W · [up(a); b] + bias = up(W₁ · a) + (W₂ · b + bias).

The weights stay in the file under their names; see ``maskdet.detector.export.rewrites.split_convolutions``. What it
brings is in ``docs/experiments.md``.
"""

from __future__ import annotations

from typing import Any

from maskdet.detector.export.rewrites.graph import attribute, maker, only_user, replace_nodes, stored, users


def convolve_before_upsampling(model: Any) -> int:
    """Rewrite every such convolution in an ONNX model, in place.

    Args:
        model: an ``onnx.ModelProto`` whose nodes have names.

    Returns:
        How many joins of an enlarged and a finer map were taken apart.
    """
    from onnx import TensorProto, helper, shape_inference

    graph = model.graph
    channels = _channels(shape_inference.infer_shapes(model).graph)
    count = 0
    for name in [node.name for node in graph.node if node.op_type == "Concat"]:
        join = next(node for node in graph.node if node.name == name)
        enlarge = maker(graph, join.input[0])
        convs = users(graph, join.output[0])
        if (
            len(join.input) != 2
            or attribute(join, "axis").i != 1
            or enlarge is None
            or not _repeats_pixels(graph, enlarge)
            or only_user(graph, enlarge.output[0]) is None
            or not convs
            or not all(_is_pointwise(conv) for conv in convs)
            or any(output.name == join.output[0] for output in graph.output)
            or None in (sizes := [channels.get(one) for one in join.input])
        ):
            continue
        parts = f"{join.name}_channels"
        graph.initializer.append(helper.make_tensor(parts, TensorProto.INT64, [2], sizes))
        changes = {conv.name: _apart(conv, join, enlarge, parts) for conv in convs}
        replace_nodes(graph, {**changes, join.name: (), enlarge.name: ()})
        count += 1
    return count


def _channels(graph: Any) -> dict[str, int]:
    """Return the channels of every (N, C, H, W) tensor where they are known."""
    known = {}
    for info in (*graph.input, *graph.value_info):
        sides = info.type.tensor_type.shape.dim
        if len(sides) == 4 and sides[1].dim_value:
            known[info.name] = sides[1].dim_value
    return known


def _repeats_pixels(graph: Any, node: Any) -> bool:
    """Whether a node enlarges height and width to the nearest pixel, by factors that the file holds."""
    from onnx import numpy_helper

    # The inputs are the tensor, a region, the factors and the size wanted; the last would hold the channels too.
    if node.op_type != "Resize" or len(node.input) != 3 or (mode := attribute(node, "mode")) is None:
        return False
    factors = stored(graph, node.input[2])
    if factors is None or mode.s != b"nearest" or attribute(node, "axes") is not None:
        return False
    values = numpy_helper.to_array(factors)
    return values.shape == (4,) and values[:2].tolist() == [1, 1] and bool((values[2:] >= 1).all())


def _is_pointwise(node: Any) -> bool:
    """Whether a node is a 1×1 convolution of all channels, pixel by pixel, with a bias."""
    if node.op_type != "Conv" or len(node.input) != 3:
        return False
    kernel = attribute(node, "kernel_shape")
    neutral = {"strides": 1, "pads": 0, "group": 1}
    found = {key: attribute(node, key) for key in neutral}
    return (
        kernel is not None
        and list(kernel.ints) == [1, 1]
        and all(one is None or set(one.ints or [one.i]) == {neutral[key]} for key, one in found.items())
    )


def _apart(conv: Any, join: Any, enlarge: Any, parts: str) -> list[Any]:
    """Return the nodes that write a convolution's output without the join."""
    from onnx import helper

    output = conv.output[0]
    coarse, fine, enlarged = f"{output}_coarse", f"{output}_fine", f"{output}_enlarged"
    kernels = [f"{coarse}_weight", f"{fine}_weight"]
    nodes = [
        helper.make_node("Split", [conv.input[1], parts], kernels, name=f"{output}_weight", axis=1),
        helper.make_node("Conv", [enlarge.input[0], kernels[0]], [coarse], name=coarse),
        helper.make_node("Resize", [coarse, *enlarge.input[1:]], [enlarged], name=enlarged),
        helper.make_node("Conv", [join.input[1], kernels[1], conv.input[2]], [fine], name=fine),
        helper.make_node("Add", [fine, enlarged], [output], name=f"{output}_sum"),
    ]
    for node, original in ((nodes[1], conv), (nodes[2], enlarge), (nodes[3], conv)):
        node.attribute.extend(original.attribute)
    return nodes
