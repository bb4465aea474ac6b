"""What each default of ``maskdet detect`` gives, and what each ``--quality`` costs."""

from __future__ import annotations

from typing import Any

from figures.cells import SHORT, with_interval

#: What answers at each word.
ANSWERS = {
    "fast": "`maskdet-n-int8` alone, at 512 px",
    "standard": "`maskdet-n`, chained with `maskdet-c`",
    "best": "`maskdet-s`, chained with `maskdet-c`",
}


def qualities(report: dict[str, Any], held_out: dict[str, Any]) -> str:
    """Return a row a word of ``--quality``: what answers, its time beside the default's, and its F1 on both sets."""
    usual = held_out["qualities"]["standard"]["cpu_ms"]
    rows = [
        f"| `{word}` | {ANSWERS[word]} | {row['cpu_ms'] / usual:.2f} | {with_interval(row['f1']['mean'])} | "
        f"{with_interval(report['qualities'][word]['f1']['mean'])} |"
        for word, row in held_out["qualities"].items()
    ]
    return f"""| `--quality` | what answers | work | F1, {held_out["photos"]} photos held out | F1, {report["photos"]} from elsewhere |
|---|---|---|---|---|
{chr(10).join(rows)}

Processor time of a photo beside the default's, and mean F1 of the three classes, with `{report["weights"]}` in place of `maskdet-n`, which has seen
everything; from elsewhere: sources left out, half of the photos with painted masks. By
`{held_out["command"]}`, and `{report["command"]}`; what each default gives: [results](docs/results.md).
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
    return f"""On {report["photos"]} photos ({faces} faces) that `{report["weights"]}` has not seen, each row with all that stands above it; F1 at IoU 0.5 on what is
reported, in brackets the 95 % interval over photos, and the processor time of a photo in one thread. By
`{report["command"]}`:

| | mean F1 | {" | ".join(SHORT[one] for one in names)} | recall, incorrect | time |
|---|{"---|" * (len(names) + 3)}
{chr(10).join(rows)}
"""
