"""Rewrite the graph of an exported detector as ``maskdet export`` now writes it: faster, with the same answers.

For a file of an older version; weights and metadata stay. Nothing is written where the answers differ::

    python tools/lay_out.py maskdet-n.onnx laid-out.onnx
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx

from maskdet.detector.export import compare_runtimes
from maskdet.detector.graph_layout import lay_out
from maskdet.detector.runtime import OnnxRuntime
from maskdet.errors import WeightsError
from maskdet.writers.atomic import write_bytes


def rewrite(source: Path, target: Path) -> int:
    """Write the rewritten detector and return how many places changed; both files may be the same.

    Raises:
        WeightsError: no ONNX detector, nothing to rewrite, or it would answer differently.
        SourceError: the file cannot be written.
    """
    before = OnnxRuntime(source, name=source.stem)
    model = onnx.load(source)
    places = lay_out(model)
    if not places:
        raise WeightsError(source, "nothing to rewrite: it is laid out already, or another kind of network")
    content = model.SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder) / source.name
        tried.write_bytes(content)
        parity = compare_runtimes(before, OnnxRuntime(tried, name=source.stem))
    if not parity.holds:
        reason = f"would differ by {parity.box_px:.3f} px and {parity.score:.5f} in probability: not written"
        raise WeightsError(source, reason)
    write_bytes(target, content)
    print(f"{target}: {places} places rewritten, within {parity.box_px:.1g} px and {parity.score:.1g} in probability")
    return places


def main(arguments: Sequence[str] | None = None) -> None:
    """Rewrite the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the detector's ONNX file")
    parser.add_argument("target", type=Path, help="the file to write; may be the same")
    options = parser.parse_args(arguments)
    try:
        rewrite(options.source, options.target)
    except WeightsError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
