"""``maskdet convert`` beside a plain script."""

from __future__ import annotations

from typing import Any

from figures.cells import three_digits


def converter(report: dict[str, Any]) -> str:
    """Return the table of the converter at every size, maskdet and the plain script side by side."""
    machine = report["machine"]
    (section,) = report["sections"]
    rows = []
    pairs = zip(section["rows"][::2], section["rows"][1::2], strict=True)
    for ours, plain in ((ours["figures"], plain["figures"]) for ours, plain in pairs):
        cells = [ours["wall_s"], plain["wall_s"], ours["times_faster"], ours["cpu_s"], plain["cpu_s"]]
        cells += [ours["peak_mb"], plain["peak_mb"]]
        rows.append(f"| {ours['files']:,.0f} | {' | '.join(map(three_digits, cells))} |")
    return f"""`maskdet convert` beside a [plain script](../maskdet/benchmark/plain_convert.py) that parses and writes one file after another, which checks
no picture and no box ({machine["processor"]}, {machine["cores"]} cores; `{report["command"]}`, the public data over and over; target {section["targets"]["times_faster"]} times faster
at 85,300 files). In brackets the script; peak MB is that of the largest process:

| files | wall, s | (script) | times faster | CPU, s | (script) | peak MB | (script) |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""
