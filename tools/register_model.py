"""Put a trained model into ``weights/``: the ONNX file, its figures, its card, and its entry in ``models.json``.

Every figure comes out of the JSON that ``maskdet val`` wrote::

    maskdet export model=runs/NAME/weights/last.pt
    python tools/calibrate_detector.py folds "runs/fold{fold}.onnx" --write runs/NAME/weights/last.onnx calibrated.onnx
    maskdet val model=calibrated.onnx data=public/data.yaml --json val.json
    python tools/register_model.py maskdet-n calibrated.onnx val.json --train "maskdet train …"

A classifier is registered in the same way, with the JSON that ``tools/classifier_card.py`` describes; a detector trained on
every photo with that of ``maskdet val --folds`` (``tools/all_data_card.py``); an INT8 model by ``tools/ship_int8.py``. The first model of its task becomes its task's default.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import all_data_card
import classifier_card
import update_readme
from network_facts import network_facts

from maskdet.detector.inference.close_ups import KEY, CloseUps
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.detector.inference.thresholds import read_calibration
from maskdet.sessions.onnx_session import open_session

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


def entry_of(name: str, onnx: Path, report: dict[str, Any], train_command: str) -> dict[str, Any]:
    """Return the model's entry in ``models.json``.

    Raises:
        SystemExit: the report is of another file.
    """
    digest = hashlib.sha256(onnx.read_bytes()).hexdigest()
    if report["model"]["sha256"] != digest:
        raise SystemExit(f"error: the report is of {report['model']['sha256'][:12]}…, {onnx} is {digest[:12]}…")
    spec = OnnxRuntime(onnx, name=name).spec
    everything = report["ap"]["all"]
    calibration = read_calibration(spec.metadata)
    int8 = {"int8": json.loads(spec.metadata["maskdet_int8"])} if "maskdet_int8" in spec.metadata else {}
    return {
        "task": "detect",
        "file": f"{name}.onnx",
        "sha256": digest,
        "classes": [row for row in everything if row != "mean"],
        "imgsz": spec.imgsz,
        **network_facts(onnx, spec),
        **({"calibration": calibration} if calibration else {}),
        "recipe": {"command": train_command, **json.loads(spec.metadata["maskdet_training"])},
        **int8,
        "data": "Face Mask Detection (Kaggle, andrewmvd, CC0), 853 photos",
        "split": "public: 683 photos to train, 170 held out; maskdet convert --split public",
        "figures": {
            "map50": everything["mean"]["ap50"]["value"],
            "map50_95": everything["mean"]["ap50_95"]["value"],
            "ap50": {row: figures["ap50"]["value"] for row, figures in everything.items() if row != "mean"},
            "report": f"{name}.val.json",
        },
    }


def card_of(name: str, entry: dict[str, Any], report: dict[str, Any], size: int) -> str:
    """Return the model card as Markdown, with the figures of the grouped folds where they are there."""
    rows = []
    for side, classes in report["ap"].items():
        for label, row in classes.items():
            cells = [interval(row[key]) for key in ("ap50", "ap50_95")]
            rows.append(f"| {side} | {label} | {row['faces']} | {cells[0]} | {cells[1]} |")
    recipe = ", ".join(f"{key} {value}" for key, value in entry["recipe"].items() if key != "command")
    card = f"""# {name}

Finds faces and says how each wears its mask: {", ".join(entry["classes"])}. {entry["network"]}, {entry["gflops"]:.1f} GFLOPs, {size / 1e6:.1f} MB ONNX, input
{entry["imgsz"]} px (any rectangle that is a multiple of 32), sha256 `{entry["sha256"][:16]}…`. AGPL-3.0-or-later.

## How it was trained
`{entry["recipe"]["command"]}`
{int8_section(entry)}
{recipe}. Data: {entry["data"]}. Split: {entry["split"]}. The last epoch's weights (EMA) were taken, so no
checkpoint was chosen on the held-out photos, and `nbs` was chosen on a part of the training photos. The starting weights and
`cls_pw` were taken over from an earlier run whose figures on this same held-out part were known: not blind, then.

## How good it is
`{report["command"]}` (in brackets the 95 % bootstrap interval over photos):

| face side | class | faces | AP50 | AP50-95 |
|---|---|---|---|---|
{chr(10).join(rows)}

The public split is the one that others report on; six of its nineteen incorrectly worn masks have a near copy among the
training photos, so believe that figure less than the others.

<!-- figures: start -->
<!-- figures: end -->
## What it is not good at
Faces in the training photos are small (`maskdet data stats` shows how small), and the close-ups that it was trained on are cut
from them. Where one face fills the picture `--close-ups` finds more of them (docs/scales.md says how many). A face may be reported twice with two classes when the
model hesitates; `--agnostic-nms`, with a lower `--iou` where the two boxes differ, keeps the more confident one. It must not
be used to identify anyone, nor as the only ground for a decision about a person.
"""
    page = f"weights/{name}.md"
    return update_readme.updated(page, card) if page in update_readme.PAGES else card


def int8_section(entry: dict[str, Any]) -> str:
    """Return how an INT8 model was made of its float original; nothing for another."""
    if "int8" not in entry:
        return ""
    facts = ", ".join(f"{key} {value}" for key, value in entry["int8"].items())
    return f"""
and then brought to 8 bits, on training photos only, by `python tools/ship_int8.py`: {facts}.
"""


def interval(figure: dict[str, float | None]) -> str:
    """Return ``.807 (.76–.85)``."""
    if figure["value"] is None:
        return "–"
    text = f"{figure['value']:.3f}"
    return text if figure["low"] is None else f"{text} ({figure['low']:.2f}–{figure['high']:.2f})"


def register(
    name: str,
    onnx: Path,
    report: dict[str, Any],
    train_command: str,
    folder: Path = WEIGHTS,
    *,
    close_ups: tuple[float, ...] | None = None,
) -> dict[str, Any]:
    """Copy, register and describe; return the entry.

    Args:
        name: how the model is called.
        onnx: its file.
        report: its figures.
        train_command: the command that trained it.
        folder: where it goes.
        close_ups: input size, share and, optionally, limit of the close-ups that it wants by itself, None for none; see
            ``CloseUps``.

    Raises:
        SystemExit: the report is of another file, or the name is taken by a model of another task.
    """
    metadata = open_session(onnx).get_modelmeta().custom_metadata_map
    classifies = metadata.get("task") == "classify"
    makes_entry, makes_card = entry_of, card_of
    if classifies:
        makes_entry, makes_card = classifier_card.entry_of, classifier_card.card_of
    elif report["schema"] == all_data_card.SCHEMA:
        makes_entry, makes_card = all_data_card.entry_of, all_data_card.card_of
    entry = makes_entry(name, onnx, report, train_command)
    if close_ups is not None:
        entry[KEY] = CloseUps(*close_ups).to_dict()
    registry_file = folder / "models.json"
    registry: dict[str, Any] = {"default": {}, "models": {}}
    if registry_file.is_file():
        registry = json.loads(registry_file.read_text(encoding="utf-8"))
    if registry["models"].get(name, entry)["task"] != entry["task"]:
        raise SystemExit(f"error: {name} is a model of another task: choose another name")
    registry["models"][name] = entry
    registry["default"].setdefault(entry["task"], name)
    target = folder / entry["file"]
    if onnx.resolve() != target:
        shutil.copyfile(onnx, target)
    card = makes_card(name, entry, report, target.stat().st_size)
    _write(folder / entry["figures"]["report"], json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    _write(folder / f"{name}.md", card)
    _write(registry_file, json.dumps(registry, indent=2, ensure_ascii=False) + "\n")
    return entry


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Read the command line and register."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("onnx", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--train", required=True, help="the command that trained it, without machine paths")
    parser.add_argument(
        "--close-ups", type=float, nargs=3, metavar=("IMGSZ", "SHARE", "BELOW"), help="a detector's, by default"
    )
    options = parser.parse_args()
    report = json.loads(options.report.read_text(encoding="utf-8"))
    close = options.close_ups and (int(options.close_ups[0]), *options.close_ups[1:])
    entry = register(options.name, options.onnx, report, options.train, close_ups=close)
    figures = {key: value for key, value in entry["figures"].items() if isinstance(value, float)}
    print(f"{entry['file']}: " + ", ".join(f"{key} {value:.3f}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
