"""Average the weights of exported detectors that came of each other or of the same start (a "model soup").

The mean of the weights that a training had after each of its stages lies in a flatter part of the loss than the last of
them, and errs less on photos that none has seen (Izmailov et al., "Averaging Weights Leads to Wider Optima", 2018; Wortsman
et al., "Model soups", 2022)::

    python tools/average_weights.py mean.onnx runs/first/weights/last.onnx runs/second/weights/last.onnx

Export has folded each batch normalisation into the convolution before it, so the mean needs no statistics of its own. Give
files without calibration: ``maskdet val --folds --calibrate --final`` then calibrates the mean.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from maskdet.detector.inference.thresholds import KEY as CALIBRATION
from maskdet.files.atomic import write_bytes

#: Key of the file's metadata that says what it is the mean of.
KEY = "maskdet_mean_of"


def average(target: Path, sources: Sequence[Path]) -> Path:
    """Write an ONNX file whose every floating-point weight is the mean over the files.

    Args:
        target: the file to write; graph and metadata are the last file's, with ``maskdet_mean_of`` added.
        sources: as ``maskdet export`` writes them, of one architecture.

    Raises:
        SystemExit: the networks differ, or a file is calibrated.
    """
    models = [onnx.load(path) for path in sources]
    for path, model in zip(sources, models, strict=True):
        if any(entry.key == CALIBRATION for entry in model.metadata_props):
            raise SystemExit(f"error: {path} is calibrated: give the file as maskdet export wrote it")
    weights = [_weights(model) for model in models]
    shapes = [{name: array.shape for name, array in held.items()} for held in weights]
    if any(shape != shapes[0] for shape in shapes):
        raise SystemExit("error: the networks differ: give exports of one architecture by one version of maskdet")
    mean = models[-1]
    for tensor in mean.graph.initializer:
        if tensor.name in weights[0]:
            total = np.mean([held[tensor.name].astype(np.float64) for held in weights], axis=0)
            dtype = weights[-1][tensor.name].dtype
            tensor.CopyFrom(numpy_helper.from_array(total.astype(dtype), tensor.name))
    metadata = {entry.key: entry.value for entry in mean.metadata_props}
    onnx.helper.set_model_props(mean, {**metadata, KEY: json.dumps([path.stem for path in sources])})
    write_bytes(target, mean.SerializeToString())
    return target


def _weights(model: Any) -> dict[str, Any]:
    """Return what a model has learnt, by name: constants of the graph and the distances of the box bins left out."""
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return {
        name: array
        for name, array in held.items()
        if np.issubdtype(array.dtype, np.floating) and name.endswith((".weight", ".bias")) and ".dfl." not in name
    }


def main() -> None:
    """Read the command line and average."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("sources", type=Path, nargs="+")
    options = parser.parse_args()
    print(average(options.target, options.sources))


if __name__ == "__main__":
    main()
