"""The registry entry and the card of a classifier, from its ONNX file and the JSON of its figures.

The JSON names the file it is of, and holds figures as ``{"value": .98, "low": .97, "high": .99}``, low and high null where
there is no interval::

    {"schema": "maskdet-classifier/1", "model": {"sha256": "…"}, "command": "what computed the figures",
     "data": {"photos": 170, "crops": 726, "split": "public: …", "source": "…"},
     "accuracy": FIGURE, "macro_f1": FIGURE, "balanced_accuracy": FIGURE, "ece": FIGURE,
     "classes": {"with_mask": {"support": 593, "precision": FIGURE, "recall": FIGURE, "f1": FIGURE}, …},
     "matrix": [[590, 2, 1], …]}

``matrix`` has a row a true class and a column an answer. More keys may stand beside these; ``notes``, a list of sentences,
goes into the card.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.runtime import ClassifierRuntime

SCHEMA = "maskdet-classifier/1"
_FIGURES = ("accuracy", "macro_f1", "balanced_accuracy", "ece")


def entry_of(name: str, onnx: Path, report: dict[str, Any], train_command: str) -> dict[str, Any]:
    """Return the model's entry in ``models.json``.

    Raises:
        SystemExit: the report is of another file, or lacks something.
    """
    digest = hashlib.sha256(onnx.read_bytes()).hexdigest()
    _check(report, digest, onnx)
    spec = ClassifierRuntime(onnx, name=name).spec
    data = report["data"]
    return {
        "task": "classify",
        "file": f"{name}.onnx",
        "sha256": digest,
        "classes": list(CLASS_NAMES),
        "imgsz": spec.side,
        "margin": spec.margin,
        "square": spec.square,
        "temperature": spec.temperature,
        "recipe": {"command": train_command, **json.loads(spec.metadata.get("maskdet_training", "{}"))},
        "data": data["source"],
        "split": data["split"],
        "figures": {
            **{key: report[key]["value"] for key in _FIGURES},
            "f1": {row: figures["f1"]["value"] for row, figures in report["classes"].items()},
            "report": f"{name}.val.json",
        },
    }


def card_of(name: str, entry: dict[str, Any], report: dict[str, Any], size: int) -> str:
    """Return the model card as Markdown."""
    recipe = ", ".join(f"{key} {value}" for key, value in entry["recipe"].items() if key != "command")
    rows = []
    for label, row in report["classes"].items():
        cells = " | ".join(_figure(row[key]) for key in ("precision", "recall", "f1"))
        rows.append(f"| {label} | {row['support']} | {cells} |")
    matrix = [
        f"| {label} | " + " | ".join(str(count) for count in counts) + " |"
        for label, counts in zip(CLASS_NAMES, report["matrix"], strict=True)
    ]
    shape = "square around the box's centre" if entry["square"] else "the box's own proportions"
    notes = "".join(f"\n{note}\n" for note in report.get("notes", []))
    return f"""# {name}

Says of a face crop how the mask is worn: {", ".join(CLASS_NAMES)}. {size / 1e6:.1f} MB ONNX, input {entry["imgsz"]}×{entry["imgsz"]} px, normalisation
and softmax inside, sha256 `{entry["sha256"][:16]}…`. AGPL-3.0-or-later.

Crops: {shape}, {entry["margin"]:g} of the box's side more on every side; `MaskClassifier.classify_boxes` cuts them so. The logits
are divided by {entry["temperature"]:.3g} (temperature scaling).

## How it was trained
`{entry["recipe"]["command"]}`

{recipe + ". " if recipe else ""}Data: {entry["data"]}. Split: {entry["split"]}.

## How good it is
`{report["command"]}`, {report["data"]["crops"]} crops of {report["data"]["photos"]} photos (in brackets the 95 % interval):

| | |
|---|---|
| accuracy | {_figure(report["accuracy"])} |
| macro-F1 | {_figure(report["macro_f1"])} |
| balanced accuracy | {_figure(report["balanced_accuracy"])} |
| expected calibration error, 15 bins | {_figure(report["ece"])} |

| class | crops | precision | recall | F1 |
|---|---|---|---|---|
{chr(10).join(rows)}

Rows are the truth, columns the answer:

| | {" | ".join(CLASS_NAMES)} |
|---|---|---|---|
{chr(10).join(matrix)}
{notes}
## What it is not good at
It takes whatever it is given for one face, and always answers: a crop without a face gets a class too. It must not be used
to identify anyone, nor as the only ground for a decision about a person.
"""


def _check(report: dict[str, Any], digest: str, onnx: Path) -> None:
    if report.get("schema") != SCHEMA:
        raise SystemExit(f"error: the report's schema is {report.get('schema')!r}, expected {SCHEMA!r}")
    wanted = {"model": ("sha256",), "data": ("photos", "crops", "split", "source"), "classes": CLASS_NAMES}
    missing = [key for key in (*_FIGURES, "command", "matrix", *wanted) if key not in report]
    missing += [f"{key}.{part}" for key, parts in wanted.items() for part in parts if part not in report.get(key, {})]
    if missing:
        raise SystemExit(f"error: the report lacks {', '.join(missing)}")
    if report["model"]["sha256"] != digest:
        raise SystemExit(f"error: the report is of {report['model']['sha256'][:12]}…, {onnx} is {digest[:12]}…")
    counts = [sum(row) for row in report["matrix"]]
    if counts != [report["classes"][name]["support"] for name in CLASS_NAMES] or sum(counts) != report["data"]["crops"]:
        raise SystemExit("error: the report's matrix, its classes' support and its number of crops do not agree")


def _figure(figure: dict[str, float | None]) -> str:
    """Return ``.981 (.97–.99)``, ``–`` where there is no figure."""
    if figure["value"] is None:
        return "–"
    text = f"{figure['value']:.3f}"
    return text if figure.get("low") is None else f"{text} ({figure['low']:.2f}–{figure['high']:.2f})"
