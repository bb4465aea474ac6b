"""The shipped detectors on photos of sources that none of them has seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from figures.cells import SHORT, with_interval

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks/results"
#: Those of which no photo of these sources was trained on.
BLIND = ("maskdet-n-public", "maskdet-n-int8", "maskdet-s")


def elsewhere(name: str) -> dict[str, Any] | None:
    """Return a detector's report of ``maskdet val`` on the sources left out, or None where there is none."""
    path = RESULTS / f"heldout-{name}.json"
    report: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return report


def sources_left_out(report: dict[str, Any]) -> str:
    """Return a row a detector; ``report`` is that of the first, whose photos and faces the others' are too."""
    rows = []
    for name in BLIND:
        found = elsewhere(name)
        if found is None or found["data"] != report["data"]:
            raise SystemExit(f"error: heldout-{name}.json: missing, or of other photos than heldout-{BLIND[0]}.json")
        ap = found["ap"]["all"]
        cells = [with_interval(ap[one]["ap50"]) for one in SHORT]
        rows.append(f"| {name} | {' | '.join(cells)} | {with_interval(ap['mean']['ap50_95'])} |")
    faces = ", ".join(f"{count:,} {SHORT[one]}" for one, count in report["data"]["faces"].items())
    return f"""### Sources left out, all photos

{report["data"]["photos"]} photos of the sources `bssw`, `cfde` and `fdg`, {faces}; three in five are the same people with masks painted on. In brackets the
95 % interval over photos. No detector here was trained on them, but which file ships, its calibration, and when a photo is seen twice were chosen on
them: these figures are a little too good by that. By
`maskdet val model=NAME data=mix/heldout.yaml --json heldout-NAME.json`:

| detector | {" | ".join(f"AP50 {SHORT[one]}" if one != "mean" else "mAP50" for one in SHORT)} | mAP50-95 |
|---|---|---|---|---|---|
{chr(10).join(rows)}
"""
