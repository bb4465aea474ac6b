"""The detector in fewer bits: accuracy and speed of each arithmetic."""

from __future__ import annotations

from typing import Any

from maskdet.classes import CLASS_NAMES

#: The arithmetics of ``benchmarks/int8.py``, as the table calls them.
KINDS = {"FP32": "FP32", "INT8": "INT8", "BF16": "bfloat16"}


def arithmetic(report: dict[str, Any]) -> str:
    """Return the table of ``benchmarks/int8.py``: a column an arithmetic, a row a class and runtime."""
    kinds = [kind for kind in KINDS if kind in report["accuracy"]]
    sizes = [f"{report['megabytes'][kind]:.1f} MB" if kind in report["megabytes"] else "the FP32 one" for kind in kinds]
    rows = [["file", *sizes]]
    for name in ("mean", *CLASS_NAMES):
        figures = [report["accuracy"][kind][name] for kind in kinds]
        label = "mAP50 / mAP50-95" if name == "mean" else name
        rows.append([label, *(f"{figure['ap50']:.3f} / {figure['ap50_95']:.3f}" for figure in figures)])
    for runtime in dict.fromkeys(way.split(", ")[0] for way in report["cpu_ms"]):
        cells = []
        for way in (f"{runtime}, {kind}" for kind in kinds):
            time, faster = report["cpu_ms"].get(way), report["times_faster"].get(way)
            cells.append("–" if time is None else f"{time} ms" + (f", {faster} times as fast" if faster else ""))
        rows.append([runtime, *cells])
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""`maskdet-n-public` and its INT8 twin `maskdet-n-int8` on the 170 photos of the public split's `val`, side by side, by
`{report["command"]}`
([figures](../benchmarks/results/int8.json); {report["machine"]}; processor time of one thread, the ratio is
the median over pairs of runs):

| | {" | ".join(KINDS[kind] for kind in kinds)} |
|---|{"---|" * len(kinds)}
{lines}
"""
