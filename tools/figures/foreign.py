"""What becomes of faces from sources left out, by size."""

from __future__ import annotations

from typing import Any

from figures.cells import SHORT


def foreign_faces(report: dict[str, Any]) -> str:
    """Return a row for each class, size and way that was looked: how many faces were right, mistaken, missed."""
    rows = []
    for part in report["parts"]:
        for row in part["rows"]:
            shares = [row[name] for name in (*(name for name in SHORT if name != "mean"), "missed")]
            cells = " | ".join(f"{value:.2f} ({low:.2f}–{high:.2f})" for value, low, high in shares)
            rows.append(f"| {part['what']} | {SHORT[row['class']]} | {row['side']} | {row['faces']} | {cells} |")
    heads = " | ".join(f"called {SHORT[name]}" for name in SHORT if name != "mean")
    commands = ", ".join(f"`{part['command']}`" for part in report["parts"])
    return f"""### Faces from sources left out, by size

{report["about"]} By {commands}:

| faces | labelled | side, px | number | {heads} | missed |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""
