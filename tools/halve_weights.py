"""Write a detector's ONNX file with its weights in half precision: half the size, computed in float32 as before.

Calibrate first, score afterwards: the file is another, and so is its checksum. Nothing is written where the answers
differ by more than two pixels or a hundredth of confidence, on noise and on scenes alike::

    python tools/halve_weights.py calibrated.onnx maskdet-s.onnx
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import onnx

from maskdet.detector.export.rewrites.half_weights import halve_weights
from maskdet.detector.export.to_onnx import compare_runtimes
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.errors import WeightsError
from maskdet.files.atomic import write_bytes

#: What rounding may do to an answer: pixels of a box, whichever of thousands on noise and however unsure, and confidence.
MOST_PX: Final = 2.0
MOST_CONFIDENCE: Final = 0.01


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
        parity = compare_runtimes(before, OnnxRuntime(tried, name=source.stem))
    differs = f"{parity.box_px:.1g} px and {parity.score:.1g} in probability"
    if parity.box_px > MOST_PX or parity.score > MOST_CONFIDENCE:
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
