"""Writing a detector's ONNX file anew with its graph rewritten, only where it still answers as before."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import onnx

from maskdet.detector.export.to_onnx import Parity, compare_runtimes
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.errors import WeightsError
from maskdet.files.atomic import write_bytes


class Rewritten(NamedTuple):
    """What was done.

    Attributes:
        places: of the graph that were rewritten.
        parity: by how much the answers differ.
        bytes_before: size of the source.
        bytes_after: size of the file written.
    """

    places: int
    parity: Parity
    bytes_before: int
    bytes_after: int

    @property
    def within(self) -> str:
        """By how much the answers differ, in words."""
        return f"within {self.parity.box_px:.1g} px and {self.parity.score:.1g} in probability"


def rewrite(
    source: Path, target: Path, change: Callable[[Any], int], holds: Callable[[Parity], bool], *, nothing: str
) -> Rewritten:
    """Write the rewritten detector; both files may be the same.

    Args:
        source: a detector's ONNX file.
        target: the file to write.
        change: rewrites an ``onnx.ModelProto`` in place and returns at how many places.
        holds: whether answers that differ by so much are the same.
        nothing: what to say where there is no such place.

    Raises:
        WeightsError: no ONNX detector, nothing to rewrite, or it would answer differently.
        SourceError: the file cannot be written.
    """
    before = OnnxRuntime(source, name=source.stem)
    model = onnx.load(source)
    places = change(model)
    if not places:
        raise WeightsError(source, nothing)
    content = model.SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder) / source.name
        tried.write_bytes(content)
        parity = compare_runtimes(before, OnnxRuntime(tried, name=source.stem))
    if not holds(parity):
        reason = f"would differ by {parity.box_px:.3f} px and {parity.score:.5f} in probability: not written"
        raise WeightsError(source, reason)
    size = source.stat().st_size
    write_bytes(target, content)
    return Rewritten(places, parity, size, len(content))


def run_tool(tool: Callable[[Path, Path], object], description: str | None, arguments: Sequence[str] | None) -> None:
    """Read the two files of such a tool's command line and let it rewrite the first into the second."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="the detector's ONNX file")
    parser.add_argument("target", type=Path, help="the file to write; may be the same")
    options = parser.parse_args(arguments)
    try:
        tool(options.source, options.target)
    except WeightsError as error:
        raise SystemExit(f"error: {error}") from error
