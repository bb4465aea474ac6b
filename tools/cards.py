"""The card of each shipped model, written from its entry in ``models.json``, its report and its ``NAME.facts.yaml``.

What is true of one model stands in its facts and nowhere in this file::

    train: the command that trained it, without machine paths
    data: what it was trained on, and split: which part of it (a classifier's report says both)
    about: a paragraph under the heading, where there is more to say
    chosen: how the weights and the settings were chosen
    figures: what to believe of the figures
    figures_of: whose they are, where none can be measured of the model itself: it has seen every photo
    folds: the JSON of its recipe over the grouped folds, from the repository's root, where the figures are of a split
    folds_recipe: how the folds' detectors were trained, where that is not how this model was
    limits: what it is not good at
    like: the model whose facts hold for whatever is not said here, its folds aside

``python tools/update_readme.py`` writes the cards anew; ``tools/register_model.py`` one of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from figures.calibration import error_sentence
from figures.cells import with_interval
from figures.folds import folds as folds_table
from figures.near_training import near_table

ROOT: Final = Path(__file__).resolve().parent.parent
WEIGHTS: Final = ROOT / "weights"


def cards(folder: Path = WEIGHTS) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of every model's card."""
    registry = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    for name, entry in registry["models"].items():
        report = json.loads((folder / entry["figures"]["report"]).read_text(encoding="utf-8"))
        size = (folder / entry["file"]).stat().st_size
        yield folder / f"{name}.md", card_of(name, entry, report, read_facts(name, folder), size)


def read_facts(name: str, folder: Path = WEIGHTS) -> dict[str, Any]:
    """Return what is said of a model and cannot be computed.

    Raises:
        SystemExit: nothing is.
    """
    path = folder / f"{name}.facts.yaml"
    if not path.is_file():
        raise SystemExit(f"error: {path}: no such file; write down what tools/cards.py asks for")
    facts: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if other := facts.pop("like", None):
        # The folds were measured on detectors of that one's kind.
        shared = {key: said for key, said in read_facts(other, folder).items() if not key.startswith("folds")}
        facts = {**shared, **facts}
    if missing := {"train", "limits"} - facts.keys():
        raise SystemExit(f"error: {path} lacks {', '.join(sorted(missing))}")
    return facts


def card_of(name: str, entry: dict[str, Any], report: dict[str, Any], facts: dict[str, Any], size: int) -> str:
    """Return the model card as Markdown; ``size`` is the file's, in bytes."""
    classifies = entry["task"] == "classify"
    recipe = ", ".join(f"{key} {value}" for key, value in entry["recipe"].items() if key != "command")
    said = [f"{recipe}." if recipe else "", f"Data: {entry['data']}.", f"Split: {entry['split']}."]
    figures = _of_crops(report) if classifies else _of_folds(report) if "sets" in report else _of_split(report)
    if "figures_of" in facts:
        figures = figures.replace("How good it is", f"How good {facts['figures_of']} is, which it went on from")
    parts = [
        f"# {name}",
        _crops(entry, size) if classifies else _faces(entry, size),
        facts.get("about"),
        f"## How it was trained\n`{entry['recipe']['command']}`",
        _int8(entry) if "int8" in entry else None,
        " ".join(part for part in [*said, facts.get("chosen", "").strip()] if part),
        figures,
        *report.get("notes", []),
        facts.get("figures"),
        _folds(facts["folds"], facts.get("folds_recipe", "")) if "folds" in facts else None,
        f"## What it is not good at\n{facts['limits']}",
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _faces(entry: dict[str, Any], size: int) -> str:
    return f"""Finds faces and says how each wears its mask: {", ".join(entry["classes"])}. {entry["network"]}, {entry["gflops"]:.1f} GFLOPs, {size / 1e6:.1f} MB ONNX, input
{entry["imgsz"]} px (any rectangle that is a multiple of 32), sha256 `{entry["sha256"][:16]}…`. AGPL-3.0-or-later."""


def _crops(entry: dict[str, Any], size: int) -> str:
    shape = "square around the box's centre" if entry["square"] else "the box's own proportions"
    return f"""Says of a face crop how the mask is worn: {", ".join(entry["classes"])}. {size / 1e6:.1f} MB ONNX, input {entry["imgsz"]}×{entry["imgsz"]} px, normalisation
and softmax inside, sha256 `{entry["sha256"][:16]}…`. AGPL-3.0-or-later.

Crops: {shape}, {entry["margin"]:g} of the box's side more on every side; `MaskClassifier.classify_boxes` cuts them so. The logits
are divided by {entry["temperature"]:.3g} (temperature scaling)."""


def _int8(entry: dict[str, Any]) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in entry["int8"].items())
    return f"and then brought to 8 bits, on training photos only, by `python tools/ship_int8.py`: {facts}."


def _of_split(report: dict[str, Any]) -> str:
    """Return the figures of ``maskdet val``."""
    rows = [
        f"| {side} | {label} | {row['faces']} | {with_interval(row['ap50'])} | {with_interval(row['ap50_95'])} |"
        for side, classes in report["ap"].items()
        for label, row in classes.items()
    ]
    return f"""## How good it is
`{report["command"]}` (in brackets the 95 % bootstrap interval over photos):

| face side | class | faces | AP50 | AP50-95 |
|---|---|---|---|---|
{chr(10).join(rows)}

{near_table(report)}

{error_sentence(report)}"""


def _of_folds(report: dict[str, Any]) -> str:
    """Return the figures of ``maskdet val --folds``, of a detector that has left out no photo."""
    return f"## How good its recipe is\n{folds_table(report)}"


def _folds(path: str, recipe: str) -> str:
    report = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return f"## On photos like none it has seen\n{recipe}{folds_table(report)}"


def _of_crops(report: dict[str, Any]) -> str:
    """Return the figures of ``tools/classifier_figures.py``."""
    rows = [
        f"| {label} | {row['support']} | "
        + " | ".join(with_interval(row[key]) for key in ("precision", "recall", "f1"))
        + " |"
        for label, row in report["classes"].items()
    ]
    matrix = [
        f"| {label} | {' | '.join(map(str, counts))} |"
        for label, counts in zip(report["classes"], report["matrix"], strict=True)
    ]
    return f"""## How good it is
`{report["command"]}`, {report["data"]["crops"]} crops of {report["data"]["photos"]} photos (in brackets the 95 % interval):

| | |
|---|---|
| accuracy | {with_interval(report["accuracy"])} |
| macro-F1 | {with_interval(report["macro_f1"])} |
| balanced accuracy | {with_interval(report["balanced_accuracy"])} |
| expected calibration error, 15 bins | {with_interval(report["ece"])} |

| class | crops | precision | recall | F1 |
|---|---|---|---|---|
{chr(10).join(rows)}

Rows are the truth, columns the answer:

| | {" | ".join(report["classes"])} |
|---|---|---|---|
{chr(10).join(matrix)}"""
