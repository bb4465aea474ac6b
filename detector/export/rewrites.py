"""An exported detector's ONNX graph, rewritten as processors like it: other nodes, the same answers.

Weights stay in the file under their names, as ``maskdet train`` looks for them; what the graph does to them a runtime
does once, as it loads. What each rewrite brings is in ``docs/experiments.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np


def users(graph: Any, name: str) -> list[Any]:
    """Return the nodes that read a tensor, in the graph's order."""
    return [node for node in graph.node if name in node.input]


def only_user(graph: Any, name: str) -> Any:
    """Return the one node that reads a tensor; None where there are none or several, or where it is an output."""
    found = users(graph, name)
    return found[0] if len(found) == 1 and all(output.name != name for output in graph.output) else None


def maker(graph: Any, name: str) -> Any:
    """Return the node that writes a tensor; None where it is an input or stored."""
    return next((node for node in graph.node if name in node.output), None)


def stored(graph: Any, name: str) -> Any:
    """Return a tensor that the file holds, as ``onnx.TensorProto``; None where it is computed."""
    return next((tensor for tensor in graph.initializer if tensor.name == name), None)


def attribute(node: Any, name: str) -> Any:
    """Return a node's attribute, as ``onnx.AttributeProto``; None where it is left at its default."""
    return next((one for one in node.attribute if one.name == name), None)


def replace_nodes(graph: Any, replacements: Mapping[str, Sequence[Any]]) -> None:
    """Put other nodes in the place of some.

    Args:
        graph: an ``onnx.GraphProto`` whose nodes have names.
    """
    nodes = [new for node in graph.node for new in replacements.get(node.name, (node,))]
    made = {output for node in nodes for output in node.output}
    gone = {output for node in graph.node for output in node.output} - made
    infos = [info for info in graph.value_info if info.name not in gone]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.value_info.extend(infos)


#: (batch, side, bin, anchor) → (batch, bin, side, anchor): ultralytics' order.
_BINS_INSIDE: Final = [0, 2, 1, 3]

#: (batch, side, bin, anchor) → (batch, side, anchor, bin).
_BINS_LAST: Final = [0, 1, 3, 2]


def put_bins_last(model: Any) -> bool:
    """Rewrite the decoding of the box distribution in an ONNX model, in place.

    A side of a box is a mean of sixteen distances, weighted by a softmax over sixteen numbers of every anchor
    ("distribution focal loss", Li et al. 2020). ultralytics' graph puts the sixteen on an inner axis, where a softmax
    must jump through memory, and takes the mean with a convolution; on the last axis it is a product of matrices.

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


#: Parts that are no multiple of so many channels would be padded to one (MLAS on AVX-512; 8 elsewhere).
_BLOCK: Final = 16


class _Found(NamedTuple):
    """Convolution → SiLU, x·σ(x) → split, all ``onnx.NodeProto``."""

    conv: Any
    sigmoid: Any
    product: Any
    split: Any


def convolve_halves(model: Any) -> int:
    """Compute a convolution whose output is split at once as one for each part, in place; return how many.

    YOLO's blocks (C2f, and C3k2 after it) begin with a 1×1 convolution whose output is split in two. Between
    convolutions ONNX Runtime keeps channels in groups of sixteen, which ``Split`` cannot read: every such block then
    costs a change of order there, the copy and two changes back. Convolutions of their own need none.

    Args:
        model: an ``onnx.ModelProto`` whose nodes have names.
    """
    graph = model.graph
    count = 0
    for name in [node.name for node in graph.node if node.op_type == "Split"]:
        found = _match(graph, next(node for node in graph.node if node.name == name))
        if found is None:
            continue
        gone: list[Any] = [found.sigmoid, found.product, found.split]
        replace_nodes(graph, {found.conv.name: _parts(found), **{node.name: () for node in gone}})
        count += 1
    return count


def _match(graph: Any, split: Any) -> _Found | None:
    """Return the nodes that lead to a split, None where they are others."""
    from onnx import numpy_helper

    axis, sizes = attribute(split, "axis"), stored(graph, split.input[1]) if len(split.input) == 2 else None
    product = maker(graph, split.input[0])
    if axis is None or axis.i != 1 or sizes is None or product is None or product.op_type != "Mul":
        return None
    conv, sigmoid = maker(graph, product.input[0]), maker(graph, product.input[1])
    if conv is None or sigmoid is None or (conv.op_type, sigmoid.op_type) != ("Conv", "Sigmoid"):
        return None
    group = attribute(conv, "group")
    alone = (
        sigmoid.input[0] == conv.output[0]
        and sorted(node.name for node in users(graph, conv.output[0])) == sorted([sigmoid.name, product.name])
        and only_user(graph, sigmoid.output[0]) is not None
        and only_user(graph, product.output[0]) is not None
        and all(output.name != conv.output[0] for output in graph.output)
    )
    weights = len(conv.input) == 3 and all(stored(graph, name) is not None for name in conv.input[1:])
    if not (alone and weights) or (group is not None and group.i != 1) or (numpy_helper.to_array(sizes) % _BLOCK).any():
        return None
    return _Found(conv, sigmoid, product, split)


def _parts(found: _Found) -> list[Any]:
    """Return the nodes that write the split's outputs without it."""
    from onnx import helper

    conv, split = found.conv, found.split
    sizes, parts = split.input[1], list(split.output)
    kernels, biases = ([f"{part}_{what}" for part in parts] for what in ("weight", "bias"))
    nodes = [
        helper.make_node("Split", [conv.input[1], sizes], kernels, name=f"{split.name}_weight", axis=0),
        helper.make_node("Split", [conv.input[2], sizes], biases, name=f"{split.name}_bias", axis=0),
    ]
    for part, kernel, bias in zip(parts, kernels, biases, strict=True):
        raw, gate = f"{part}_conv", f"{part}_sigmoid"
        nodes.append(helper.make_node("Conv", [conv.input[0], kernel, bias], [raw], name=raw))
        nodes[-1].attribute.extend(conv.attribute)
        nodes.append(helper.make_node("Sigmoid", [raw], [gate], name=gate))
        nodes.append(helper.make_node("Mul", [raw, gate], [part], name=f"{part}_product"))
    return nodes


def convolve_before_upsampling(model: Any) -> int:
    """Do a 1×1 convolution of enlarged channels before they are enlarged, in place: a quarter of the work.

    YOLO's neck enlarges a feature map by repeating pixels, joins it with a finer one and convolves both, 1×1. Such a
    convolution sees one pixel at a time and is linear: with weights W = [W₁ W₂] over the joined channels
    W · [up(a); b] + bias = up(W₁ · a) + (W₂ · b + bias).

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


def lay_out(model: Any) -> int:
    """Rewrite an ONNX detector, in place, in every way that pays; done twice it changes nothing more.

    Args:
        model: an ``onnx.ModelProto``; nodes without a name get one.
    """
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    # Halves first: behind a join each of them is a convolution that can be done before enlarging.
    return int(put_bins_last(model)) + convolve_halves(model) + convolve_before_upsampling(model)
