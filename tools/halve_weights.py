"""Write a detector's ONNX file with its weights in half precision: half the size, computed in float32 as before.

Calibrate first, score afterwards: the file is another, and so is its checksum. Nothing is written where the answers
differ by more than two pixels or a hundredth of confidence, on noise and on scenes alike::

    python tools/halve_weights.py calibrated.onnx maskdet-s.onnx
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rewrite_graph import rewrite, run_tool

from maskdet.detector.export.rewrites.half_weights import halve_weights
from maskdet.detector.export.to_onnx import Parity

#: What rounding may do to an answer: pixels of a box, whichever of thousands on noise and however unsure, and confidence.
MOST_PX: Final = 2.0
MOST_CONFIDENCE: Final = 0.01


def halve_file(source: Path, target: Path) -> int:
    """Write the smaller file and return how many tensors it halves; errors are those of ``rewrite``."""

    def near(parity: Parity) -> bool:
        return parity.box_px <= MOST_PX and parity.score <= MOST_CONFIDENCE

    done = rewrite(source, target, halve_weights, near, nothing="nothing to halve: it holds no large float32 weights")
    print(f"{target}: {done.bytes_before / 1e6:.1f} MB before, {done.bytes_after / 1e6:.1f} after, {done.within}")
    return done.places


def main(arguments: Sequence[str] | None = None) -> None:
    """Rewrite the file named on the command line."""
    run_tool(halve_file, __doc__, arguments)


if __name__ == "__main__":
    main()
