"""Small questions to an ONNX graph, for those who rewrite one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


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
        replacements: name of a node → what comes instead; nothing removes it.
    """
    nodes = [new for node in graph.node for new in replacements.get(node.name, (node,))]
    made = {output for node in nodes for output in node.output}
    gone = {output for node in graph.node for output in node.output} - made
    infos = [info for info in graph.value_info if info.name not in gone]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.value_info.extend(infos)
