"""Speed: every runtime side by side, and the classifier alone."""

from __future__ import annotations

from typing import Any

from figures.cells import three_digits


def benchmark(report: dict[str, Any]) -> str:
    """Return the tables of ``maskdet benchmark``: every section, the figures that all can be compared by."""
    machine = report["machine"]
    parts = [
        f"Speed, side by side in one run of `{report['command']}` ({machine['processor']}, {machine['cores']} cores; "
        "targets in the headings):"
    ]
    parts += [_table(section) for section in report["sections"]]
    return "\n\n".join(parts) + "\n"


def size(report: dict[str, Any]) -> str:
    """Return the table of folders of growing size."""
    machine = report["machine"]
    (section,) = report["sections"]
    return f"""The 853 photos of the public data set over and over, at 160 px so that reading and writing are a large part of the work, by
`{report["command"]}` (`images`: the photos; {machine["processor"]}, {machine["cores"]} cores):

{_table(section)}
"""


def _table(section: dict[str, Any]) -> str:
    """Return a section of ``maskdet benchmark``, without columns in which nothing stands."""
    wanted = [key for key in section["columns"] if any(key in row["figures"] for row in section["rows"])]
    heads = [
        section["columns"][key] + (f" ({section['targets'][key]})" if key in section["targets"] else "")
        for key in wanted
    ]
    rows = [
        f"| {row['name']} | " + " | ".join(three_digits(row["figures"].get(key)) for key in wanted) + " |"
        for row in section["rows"]
    ]
    return "\n".join([f"| {section['title']} | {' | '.join(heads)} |", "|---" * (len(wanted) + 1) + "|", *rows])


def classifier_speed(report: dict[str, Any]) -> str:
    """Return the classifier's speed in one line."""
    batch = report["crop_ms"]["16"]
    return f"""One face crop in a batch of 16 takes {batch["from crops"]:.2f} ms from pixels to answer, {batch["network alone"]:.2f} ms of it the network ({report["machine"]}), by
`{report["command"]}`.
"""
