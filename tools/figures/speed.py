"""Speed: every runtime side by side, and the classifier alone."""

from __future__ import annotations

from typing import Any

from figures.cells import three_digits


def benchmark(report: dict[str, Any]) -> str:
    """Return the tables of ``maskdet benchmark``: every section, the figures that all can be compared by."""
    machine = report["machine"]
    parts = [
        f"Speed, side by side in one run of `{report['command']}` ({machine['processor']}, {machine['cores']} cores; "
        "targets in the headings; what the rows mean: [speed](docs/benchmark.md)):"
    ]
    for section in report["sections"]:
        wanted = [key for key in section["columns"] if any(key in row["figures"] for row in section["rows"])]
        heads = [
            section["columns"][key] + (f" ({section['targets'][key]})" if key in section["targets"] else "")
            for key in wanted
        ]
        rows = [
            f"| {row['name']} | " + " | ".join(three_digits(row["figures"].get(key)) for key in wanted) + " |"
            for row in section["rows"]
        ]
        parts.append(
            "\n".join([f"| {section['title']} | {' | '.join(heads)} |", "|---" * (len(wanted) + 1) + "|", *rows])
        )
    return "\n\n".join(parts) + "\n"


def classifier_speed(report: dict[str, Any]) -> str:
    """Return the classifier's speed in one line."""
    batch = report["crop_ms"]["16"]
    return f"""One face crop in a batch of 16 takes {batch["from crops"]:.2f} ms from pixels to answer, {batch["network alone"]:.2f} ms of it the network ({report["machine"]}), by
`{report["command"]}`.
"""
