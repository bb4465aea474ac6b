"""Give a detector the calibration and the thresholds of the one that it went on from: it has seen every photo itself.

python tools/lend_calibration.py weights/maskdet-n-public.onnx last.onnx calibrated.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

from maskdet.detector.export.calibrated_onnx import without_calibration, write_calibration
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.detector.inference.thresholds import calibration_of, read_calibration


def lend(lender: Path, borrower: Path, target: Path) -> Path:
    """Write ``borrower`` with the calibration that ``lender`` carries, in place of its own; its notes say whose it is.

    Raises:
        SystemExit: the lender has none.
        WeightsError: the borrower cannot be calibrated.
    """
    metadata = OnnxRuntime(lender, name=lender.stem).spec.metadata
    notes, calibration = read_calibration(metadata), calibration_of(metadata)
    if notes is None or calibration is None:
        raise SystemExit(f"error: {lender}: has no calibration to lend")
    said = {key: value for key, value in notes.items() if key not in {"schema", "temperature", "bias"}}
    without_calibration(borrower, target)
    said["fitted_on"] = f"of {lender.stem}, from which it went on: {notes.get('fitted_on', '')}"
    return write_calibration(target, target, calibration, said)


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("lender", "borrower", "target"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    print(lend(options.lender, options.borrower, options.target))


if __name__ == "__main__":
    main()
