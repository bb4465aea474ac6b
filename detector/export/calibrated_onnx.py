"""Writing a calibration into a detector's ONNX file.

It goes into the graph, before the sigmoid that makes the scores: every program that runs the file gives the same
confidences, ``yolo predict`` among them, and no threshold means two things. The file's metadata says what was done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskdet.detector.inference.thresholds import KEY, SCHEMA, Calibration
from maskdet.errors import WeightsError
from maskdet.extras import require
from maskdet.files.atomic import write_bytes

#: Behind these lies the network itself, or only the shape of a tensor.
_BORDERS: Final = frozenset({"Conv", "Shape"})

_SCALE, _BIAS = "maskdet_calibration_scale", "maskdet_calibration_bias"


def write_calibration(
    source: Path, target: Path, calibration: Calibration, notes: Mapping[str, Any] | None = None
) -> Path:
    """Write a copy of a detector whose scores are calibrated.

    Args:
        target: the file to write; may be the same.
        notes: what else the metadata is to say, such as what it was fitted on.

    Raises:
        WeightsError: not an ONNX detector, or calibrated already.
        MissingExtraError: onnx is not installed.
        SourceError: the file cannot be written.
    """
    onnx, model, metadata = _load(source)
    if KEY in metadata:
        raise WeightsError(source, "is calibrated already: give the file as maskdet export wrote it")
    sigmoid = _score_sigmoid(source, model.graph)
    scale, bias = 1 / np.asarray(calibration.temperature), np.asarray(calibration.bias)
    if scale.ndim:
        shape = _class_shape(onnx, source, model, sigmoid.input[0], len(scale))
        scale, bias = scale.reshape(shape), bias.reshape(shape)
    model.graph.initializer.extend(
        [
            onnx.numpy_helper.from_array(scale.astype(np.float32), _SCALE),
            onnx.numpy_helper.from_array(bias.astype(np.float32), _BIAS),
        ]
    )
    scaled, calibrated = f"{_SCALE}_output", f"{_BIAS}_output"
    place = list(model.graph.node).index(sigmoid)
    nodes = [
        onnx.helper.make_node("Mul", [sigmoid.input[0], _SCALE], [scaled], name=_SCALE),
        onnx.helper.make_node("Add", [scaled, _BIAS], [calibrated], name=_BIAS),
    ]
    sigmoid.input[0] = calibrated
    for node in reversed(nodes):
        model.graph.node.insert(place, node)
    said = {"schema": SCHEMA, "temperature": calibration.temperature, "bias": calibration.bias, **(notes or {})}
    onnx.helper.set_model_props(model, {**metadata, KEY: json.dumps(said)})
    write_bytes(target, model.SerializeToString())
    return target


def without_calibration(source: Path, target: Path) -> Path:
    """Write a copy of a detector whose scores are as trained: what ``write_calibration`` put in is taken out.

    Args:
        target: the file to write; may be the same.

    Raises:
        WeightsError: not an ONNX model, or one whose calibration another program wrote.
        MissingExtraError: onnx is not installed.
        SourceError: the file cannot be written.
    """
    onnx, model, metadata = _load(source)
    graph = model.graph
    ours = {node.name: node for node in graph.node if node.name in (_SCALE, _BIAS)}
    if KEY in metadata:
        if len(ours) != 2:
            raise WeightsError(source, "is calibrated, and not by maskdet: give the file as maskdet export wrote it")
        sigmoid = _score_sigmoid(source, graph)
        sigmoid.input[0] = ours[_SCALE].input[0]
        for node in ours.values():
            graph.node.remove(node)
        for tensor in [one for one in graph.initializer if one.name in (_SCALE, _BIAS)]:
            graph.initializer.remove(tensor)
        onnx.helper.set_model_props(model, {key: value for key, value in metadata.items() if key != KEY})
    write_bytes(target, model.SerializeToString())
    return target


def _load(source: Path) -> tuple[Any, Any, dict[str, str]]:
    """Return the onnx package, a model and its metadata."""
    onnx = require("onnx", what="writing a calibration", extra="train")
    try:
        model = onnx.load(source)
    except Exception as error:  # the readers' exceptions share no base class of their own
        raise WeightsError(source, f"not an ONNX model ({type(error).__name__})") from error
    return onnx, model, {entry.key: entry.value for entry in model.metadata_props}


def _class_shape(onnx: Any, source: Path, model: Any, name: str, classes: int) -> list[int]:
    """Return the shape that lays one number a class along the classes of the logits.

    Raises:
        WeightsError: the file does not say which of their axes that is.
    """
    inferred = onnx.shape_inference.infer_shapes(model).graph
    dims = next((one.type.tensor_type.shape.dim for one in inferred.value_info if one.name == name), ())
    places = [at for at, dim in enumerate(dims) if dim.dim_value == classes]
    if 1 in places:  # (batch, classes, boxes), as ultralytics lays them out
        places = [1]
    if len(places) != 1:
        raise WeightsError(source, f"its logits do not say which of their axes has the {classes} classes")
    return [classes if at == places[0] else 1 for at in range(len(dims))]


def _score_sigmoid(source: Path, graph: Any) -> Any:
    """Return the node that turns logits into scores: the one sigmoid behind the last convolutions.

    Raises:
        WeightsError: there is none, or more than one.
    """
    makers = {output: node for node in graph.node for output in node.output}
    waiting, seen, found = [output.name for output in graph.output], set(), []
    while waiting:
        name = waiting.pop()
        node = makers.get(name)
        if name in seen or node is None or node.op_type in _BORDERS:
            continue
        seen.add(name)
        if node.op_type == "Sigmoid":
            found.append(node)
        else:
            waiting += node.input
    if len(found) != 1:
        raise WeightsError(
            source, f"no detector that can be calibrated: {len(found)} sigmoids make its output, not one"
        )
    return found[0]
