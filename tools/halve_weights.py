"""Write a detector's ONNX file with its weights in half precision: half the size, computed in float32 as before.

Each weight is stored as float16 under its own name, as ``maskdet train`` looks for it, and widened by a ``Cast`` that a
runtime does once, as it loads. Rounding to eleven significant bits moves a weight by 0.05 % at most.

Calibrate first, score afterwards: the file is another, and so is its checksum. Nothing is written where the answers
differ: on the example pictures by more than a pixel in a box that ``maskdet val`` would count, and there and on noise by
more than a hundredth of confidence in any::

    python tools/halve_weights.py calibrated.onnx maskdet-s.onnx
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.export.quantise import load_input
from maskdet.detector.export.to_onnx import compare_runtimes
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.errors import WeightsError
from maskdet.files.atomic import write_bytes

#: What rounding may do to an answer: pixels of a box and confidence.
MOST_PX: Final = 1.0
MOST_CONFIDENCE: Final = 0.01

EXAMPLES: Final = Path(__file__).resolve().parent.parent / "examples"

#: Smaller tensors stay as they are: biases, and the constants of the boxes' decoding, save nothing.
LEAST_NUMBERS: Final = 1024


def halve_weights(model: Any) -> int:
    """Store the large float32 tensors of an ONNX model as float16, in place.

    Args:
        model: an ``onnx.ModelProto``.

    Returns:
        How many were; tensors with a value that float16 cannot hold stay as they are.
    """
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


def halve_file(source: Path, target: Path) -> None:
    """Write the smaller file; both may be the same.

    Raises:
        WeightsError: no ONNX detector, nothing to halve, or it would answer differently.
        SourceError: the file cannot be written.
    """
    before, model = OnnxRuntime(source, name=source.stem), onnx.load(source)
    if not halve_weights(model):
        raise WeightsError(source, "nothing to halve: it holds no large float32 weights")
    content, size = model.SerializeToString(), source.stat().st_size
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder) / source.name
        tried.write_bytes(content)
        after = OnnxRuntime(tried, name=source.stem)
        photos = [load_input(path, before.spec) for path in sorted(EXAMPLES.glob("*.jpg"))]
        parity, noise = compare_runtimes(before, after, photos, least=VAL_CONF), compare_runtimes(before, after)
    score = max(parity.score, noise.score)
    differs = f"{parity.box_px:.1g} px and {score:.1g} in probability"
    if parity.box_px > MOST_PX or score > MOST_CONFIDENCE:
        raise WeightsError(source, f"would differ by {differs}: not written")
    write_bytes(target, content)
    print(f"{target}: {size / 1e6:.1f} MB before, {len(content) / 1e6:.1f} after, within {differs}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Rewrite the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the detector's ONNX file")
    parser.add_argument("target", type=Path, help="the file to write; may be the same")
    options = parser.parse_args(arguments)
    try:
        halve_file(options.source, options.target)
    except WeightsError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
