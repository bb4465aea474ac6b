"""``maskdet serve``: speed beside the bare model and a usual loop, and what it keeps to."""

from __future__ import annotations

from typing import Any

_NAMES = {
    "model": "the model alone, pictures decoded before",
    "serve": "`maskdet serve`",
    "plain": "a usual FastAPI loop",
}


def server(report: dict[str, Any]) -> str:
    """Return the tables of ``benchmarks/serve.py``."""
    machine, speed, start = report["machine"], report["speed"], report["start"]
    memory, overload, rest = report["memory"], report["overload"], report["rest"]
    clients = list(speed["model"])
    heads = " | ".join(f"{count} client{'s' * (count != '1')}" for count in clients)
    rows = [
        f"| {name} | " + " | ".join(_cell(speed[key][count], speed["model"][count]) for count in clients) + " |"
        for key, name in _NAMES.items()
    ]
    codes = ", ".join(f"{count:,} by {code}" for code, count in overload["codes"].items())
    grown = memory["megabytes_late"] / memory["megabytes_early"] - 1
    return f"""Requests a second (share of the model's), and the time of one in the middle (p50) and of the slowest hundredth (p99), side by side in one
run of `{report["command"]}` (`images`: {report["photos"]} photos of the public data set; {machine["processor"]}, {machine["cores"]} cores):

| | {heads} |
|{"---|" * (len(clients) + 1)}
{chr(10).join(rows)}

- **Overload**: {overload["clients"]} clients for {overload["seconds"]:g} s got {codes}; the slowest answer took {overload["slowest_s"]:.1f} s.
- **Memory**: {memory["megabytes_late"]:.0f} MB after {memory["requests"]:,} requests, {grown:+.1%} since the first tenth of them.
- **Start**: {start["ready_s"]:.1f} s from the command to `/readyz`, {start["imports_s"]:.1f} s of it imports.
- **Rest**: {rest["share"]:.1%} of a core while nobody asks.
"""


def _cell(found: dict[str, float], model: dict[str, float]) -> str:
    share = found["a_second"] / model["a_second"]
    return f"{found['a_second']:.1f} ({share:.2f}), p50 {found['p50_ms']:.0f} ms, p99 {found['p99_ms']:.0f} ms"
