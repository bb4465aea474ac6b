"""INT8: an ONNX detector whose convolutions count in 8 bits, calibrated on training photos.

Static quantisation in the QDQ format. The recipe was chosen on training photos, its last point on those held out of the
public split (``docs/experiments.md``):

- activations uint8, weights int8, one scale a channel;
- weights keep to 7 bits: x86 processors without VNNI add two products in 16 bits, and 8-bit weights overflow there;
- a tensor's range is the mean over the calibration photos of its smallest and largest value: the rare extremes of one
  photo would cost resolution on all others;
- biases make up for what rounding the weights does to a layer's mean output
  (``maskdet.detector.export.bias_correction``);
- what follows the head's last convolutions stays float, and they with it: boxes up to ``imgsz`` and probabilities share
  the output tensor, so that one scale for both would leave the probabilities no digits;
- the convolution before each that gives logits stays float too: some of its channels reach hundreds where a face's are
  small, and in 8 bits a face's logits came out lower by 4 to 6.
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.datasets.yolo.read import training_pictures
from maskdet.detector.export.bias_correction import correct_biases
from maskdet.detector.export.compare_networks import Agreement, compare_faces, times_faster
from maskdet.detector.export.rewrites import lay_out
from maskdet.detector.inference.letterbox import Letterbox
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.runtime import ModelSpec, OnnxRuntime
from maskdet.errors import MaskdetError, WeightsError
from maskdet.extras import require
from maskdet.files.atomic import write_bytes
from maskdet.files.guard import Guard
from maskdet.imaging.decode import decode_file
from maskdet.imaging.tensor import to_tensor
from maskdet.terminal.progress import track

#: Photos that set the ranges.
CALIBRATION_PHOTOS: Final = 64

#: Of their draw.
SEED: Final = 0

#: Photos of these on which the mean inputs are measured that biases are corrected by.
CORRECTION_PHOTOS: Final = 32

#: Photos on which the result is compared with its source; where the split has enough, none of the calibration photos.
COMPARED_PHOTOS: Final = 8

#: What runs in 8 bits. Activation functions and joins too: a float island costs a conversion in and one out.
QUANTISED_OPS: Final = ("Conv", "Sigmoid", "Mul", "Add", "Concat", "Split", "MaxPool", "Resize")

#: A graph with one of these is quantised already.
_INT8_OPS: Final = frozenset({"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger"})

_METHOD: Final = (
    "static, QDQ; activations uint8, range the mean over photos of min and max; weights int8, 7 bits; biases corrected"
    ", one scale a channel"
)


@dataclass(frozen=True, slots=True)
class Quantised:
    """A written INT8 model beside the one it came from.

    Attributes:
        speed: times faster than the source, here, in ONNX Runtime; below 1 slower.
    """

    path: Path
    bytes_before: int
    bytes_after: int
    photos: int
    speed: float
    agreement: Agreement


def quantise(source: Path, data: str | Path, *, photos: int = CALIBRATION_PHOTOS) -> Quantised:
    """Write ``NAME-int8.onnx`` beside an ONNX detector.

    Args:
        source: a detector as ``maskdet export`` writes it.
        data: a ``data.yaml`` or its folder; only its split ``train`` is looked at.
        photos: how many photos set the ranges, drawn at random; all where there are fewer.

    Raises:
        MissingExtraError: onnx is not installed.
        MaskdetError: ``photos`` is below 1.
        DatasetError: the data set has no training photos.
        SourceError: a photo cannot be decoded, or the result not be written.
        WeightsError: not a mask detector, or quantised already.
    """
    onnx = require("onnx", what="int8=True", extra="train")
    if isinstance(photos, bool) or not isinstance(photos, int) or photos < 1:
        raise MaskdetError(f"calibration_photos={photos}: expected a whole number from 1 on")
    if not source.is_file():
        raise WeightsError(source, "no such file")
    split = training_photos(data)
    before = OnnxRuntime(source, name=source.stem)
    model = onnx.load(source)
    if any(node.op_type in _INT8_OPS for node in model.graph.node):
        raise WeightsError(source, "is quantised already: give the file it was made from")
    random.Random(SEED).shuffle(split)
    chosen, others = split[:photos], split[photos:]

    target = source.with_name(f"{source.stem}-int8.onnx")
    Guard([source]).check_model(target)
    with tempfile.TemporaryDirectory() as folder:
        result, float_convs = quantised_model(source, Path(folder), chosen, before.spec)
    note = {
        "method": _METHOD,
        "calibration_photos": len(chosen),
        "calibration_split": "train",
        "data": (Path(data) if Path(data).is_dir() else Path(data).parent).resolve().name,
        "seed": SEED,
        "float": "these convolutions, and what follows them: " + ", ".join(float_convs),
        "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "onnxruntime": require("onnxruntime", what="int8=True", extra="train").__version__,
    }
    metadata = {entry.key: entry.value for entry in model.metadata_props} | {"maskdet_int8": json.dumps(note)}
    onnx.helper.set_model_props(result, metadata)
    write_bytes(target, result.SerializeToString())
    after = OnnxRuntime(target, name=target.stem)
    batches = [load_input(photo, before.spec) for photo in (others or chosen)[:COMPARED_PHOTOS]]
    return Quantised(
        target,
        source.stat().st_size,
        target.stat().st_size,
        len(chosen),
        times_faster(before, after, batches[:3]),
        compare_faces(before, after, batches, conf=DEFAULT_CONF, iou=DEFAULT_IOU),
    )


def load_input(photo: Path, spec: ModelSpec) -> npt.NDArray[np.float32]:
    """Return a photo as ``maskdet detect`` hands it to this network, (1, 3, H, W) float32."""
    image = decode_file(photo)
    letterbox = Letterbox.fit((image.shape[0], image.shape[1]), spec.imgsz, spec.stride, auto=spec.dynamic)
    return to_tensor([letterbox.apply(image)])


def float_tail(nodes: Sequence[Any], outputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Find what must stay float: the last convolutions before some tensors and all that follows them.

    Walks from the tensors towards the input and stops at every convolution with a bias (the one that turns the box
    distribution into a distance has none) and wherever only a tensor's shape is read.

    Returns:
        Names of the nodes, and which of them are those last convolutions, both in the graph's order.
    """
    maker = {output: node for node in nodes for output in node.output}
    seen: set[str] = set()
    ends: set[str] = set()
    waiting = deque(outputs)
    while waiting:
        node = maker.get(waiting.popleft())
        if node is None or node.name in seen or node.op_type == "Shape":
            continue
        seen.add(node.name)
        # A convolution without bias belongs to the decoding: it sums up a distribution with fixed weights.
        if node.op_type == "Conv" and len(node.input) == 3:
            ends.add(node.name)
            continue
        waiting.extend(node.input)
    return [node.name for node in nodes if node.name in seen], [node.name for node in nodes if node.name in ends]


def score_branches(graph: Any, ends: Sequence[str], classes: int) -> tuple[list[str], list[str]]:
    """Find what leads to each convolution that gives the classes' logits, back to the convolution before it, included.

    Args:
        graph: an ``onnx.GraphProto``.
        ends: the head's last convolutions, by name.
        classes: how many channels of output tell one that gives logits.

    Returns:
        As ``float_tail``: names of the nodes, and which of them are those convolutions before.
    """
    channels = {tensor.name: tensor.dims[0] for tensor in graph.initializer if tensor.dims}
    logits = [node for node in graph.node if node.name in ends and channels.get(node.input[1]) == classes]
    return float_tail(graph.node, [node.input[0] for node in logits])


def training_photos(data: str | Path | None) -> list[Path]:
    """Return the photos of a data set's split ``train``, sorted.

    Args:
        data: a ``data.yaml``, or the folder that holds one.

    Raises:
        MaskdetError: no data were named.
        DatasetError: no such file, or no photos in that split.
    """
    if data is None:
        raise MaskdetError("int8=True sets its ranges on training photos: give data=…/data.yaml")
    return training_pictures(data, "int8=True needs some to set its ranges")


def quantised_model(source: Path, folder: Path, photos: Sequence[Path], spec: ModelSpec) -> tuple[Any, list[str]]:
    """Return the quantised ``onnx.ModelProto``, without metadata, and the names of the convolutions that stay float.

    Args:
        source: the float ONNX file.
        folder: where files may be left.
        spec: of ``source``.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.calibrate import CalibrationDataReader
    from onnxruntime.quantization.shape_inference import quant_pre_process

    laid_out, prepared, written = (folder / name for name in ("laid_out.onnx", "prepared.onnx", "int8.onnx"))
    model = onnx.load(source)
    lay_out(model)
    onnx.save(model, laid_out)
    # Symbolic shapes are not needed: ranges are measured, and the shapes stay as dynamic as they are.
    quant_pre_process(str(laid_out), str(prepared), skip_symbolic_shape=True)
    model = onnx.load(prepared)
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    onnx.save(model, prepared)
    kept, ends = float_tail(model.graph.node, [output.name for output in model.graph.output])
    leading, starts = score_branches(model.graph, ends, len(spec.names))
    floats = [node.name for node in model.graph.node if node.name in {*starts, *ends}]
    name = model.graph.input[0].name

    class Photos(CalibrationDataReader):  # type: ignore[misc]
        """One photo at a time, as ONNX Runtime asks for them."""

        def __init__(self) -> None:
            self._inputs: Iterator[Mapping[str, npt.NDArray[np.float32]]] = (
                {name: load_input(photo, spec)} for photo in track(photos, label="calibrate")
            )

        def get_next(self) -> Mapping[str, npt.NDArray[np.float32]] | None:
            return next(self._inputs, None)

    quantize_static(
        str(prepared),
        str(written),
        Photos(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=list(QUANTISED_OPS),
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[*kept, *leading],
        calibrate_method=CalibrationMethod.MinMax,
        # With all photos in one collection, the "moving average" is their plain mean.
        extra_options={"CalibMovingAverage": True},
    )
    result = onnx.load(written)
    correct_biases(model, result, (load_input(photo, spec) for photo in photos[:CORRECTION_PHOTOS]))
    return result, floats
