"""What each default of ``maskdet detect`` gives, and what each ``--quality`` costs."""

from __future__ import annotations

from typing import Any

from figures.cells import SHORT, with_interval

#: What answers at each word.
ANSWERS = {
    "fast": "`maskdet-n-int8` alone",
    "standard": "`maskdet-n` with close-ups, chained with `maskdet-c`",
    "best": "`maskdet-s` with close-ups and more views, chained",
}


def qualities(report: dict[str, Any]) -> str:
    """Return a row a word of ``--quality``: what answers, its time beside the default's, and its F1."""
    usual = report["qualities"]["standard"]["cpu_ms"]
    rows = [
        f"| `{word}` | {ANSWERS[word]} | {row['cpu_ms'] / usual:.2f} | {with_interval(row['f1']['mean'])} |"
        for word, row in report["qualities"].items()
    ]
    return f"""| `--quality` | what answers | work | F1 on photos from elsewhere |
|---|---|---|---|
{chr(10).join(rows)}

Processor time of a photo beside the default's, and mean F1 of the classes on {report["photos"]} open photos of other sources, by
`{report["command"]}`; what each default gives: [results](docs/results.md).
"""


def steps(report: dict[str, Any]) -> str:
    """Return a row a default: F1 and recall of every class once it is added."""
    names = [name for name in SHORT if name != "mean"]
    rows = []
    for name, row in report["steps"].items():
        cells = [with_interval(row["f1"]["mean"]), *(with_interval(row["f1"][one]) for one in names)]
        cells.append(f"{row['recall']['mask_weared_incorrect']['value']:.3f}")
        rows.append(f"| {name} | {' | '.join(cells)} | {row['cpu_ms']:.0f} ms |")
    faces = ", ".join(f"{report['faces'][one]} {SHORT[one]}" for one in names)
    return f"""### What each default gives

On {report["photos"]} open photos from other sources ({faces} faces), each row with all that stands above it; F1 at IoU 0.5 on what is
reported, in brackets the 95 % interval over photos, and the processor time of a photo in one thread. By
`{report["command"]}`:

| | mean F1 | {" | ".join(SHORT[one] for one in names)} | recall, incorrect | time |
|---|{"---|" * (len(names) + 3)}
{chr(10).join(rows)}
"""
