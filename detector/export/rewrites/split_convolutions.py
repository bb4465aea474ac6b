"""A convolution whose output is split at once, as one convolution for each part: same arithmetic, no copy.

YOLO's blocks (C2f, and C3k2 after it) begin with a 1×1 convolution whose output is split in two. Between convolutions
ONNX Runtime keeps channels in groups of sixteen, which ``Split`` cannot read: every such block then costs a change of
order there, the copy and two changes back. Convolutions of their own need none.

The weights stay in the file under their names, as ``maskdet train`` looks for them; the graph splits them, which a
runtime does once, as it loads. What it brings is in ``docs/experiments.md``.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from maskdet.detector.export.rewrites.graph import attribute, maker, only_user, replace_nodes, stored, users

#: Parts that are no multiple of so many channels would be padded to one (MLAS on AVX-512; 8 elsewhere).
_BLOCK: Final = 16


class _Found(NamedTuple):
    """Convolution → SiLU, x·σ(x) → split, all ``onnx.NodeProto``."""

    conv: Any
    sigmoid: Any
    product: Any
    split: Any


def convolve_halves(model: Any) -> int:
    """Rewrite every such convolution in an ONNX model, in place.

    Args:
        model: an ``onnx.ModelProto`` whose nodes have names.

    Returns:
        How many were rewritten.
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
