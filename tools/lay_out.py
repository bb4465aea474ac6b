"""Rewrite the graph of an exported detector as ``maskdet export`` now writes it: faster, with the same answers.

For a file of an older version; weights and metadata stay. Nothing is written where the answers differ::

    python tools/lay_out.py maskdet-n.onnx laid-out.onnx
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rewrite_graph import rewrite, run_tool

from maskdet.detector.export.rewrites.layout import lay_out


def lay_out_file(source: Path, target: Path) -> int:
    """Write the detector laid out anew and return how many places changed; errors are those of ``rewrite``."""
    nothing = "nothing to rewrite: it is laid out already, or another kind of network"
    done = rewrite(source, target, lay_out, lambda parity: parity.holds, nothing=nothing)
    print(f"{target}: {done.places} places rewritten, {done.within}")
    return done.places


def main(arguments: Sequence[str] | None = None) -> None:
    """Rewrite the file named on the command line."""
    run_tool(lay_out_file, __doc__, arguments)


if __name__ == "__main__":
    main()
