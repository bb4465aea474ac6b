"""Try how detector and classifier should become one answer: a table of weights and least sides.

Give it photos that neither model was trained on, and not those that the figures are reported on::

    python tools/choose_fusion.py --detector best.onnx --classifier classifier.onnx --data inner/data.yaml --csv grid.csv

Both networks run once; every cell is then arithmetic on the kept scores. AP is COCO's, on boxes after NMS over all classes
together, each standing for every class with a score above 0.001; accuracy is that of the class on the faces found above
confidence 0.25 at IoU 0.5. The choice goes into ``DEFAULT_RULE`` of ``maskdet/chain/fusion.py``.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskdet.chain.evaluation.answers import ask_both
from maskdet.chain.evaluation.fusion_grid import LEAST_SIDES, WEIGHTS, Cell, score_grid
from maskdet.chain.evaluation.labelled_data import read_labelled
from maskdet.classes import CLASS_NAMES
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.detector.inference.model import MaskDetector
from maskdet.errors import MaskdetError
from maskdet.files.atomic import write_bytes
from maskdet.terminal.progress import track

SCHEMA = "maskdet-fusion/1"

#: Key of a cell -> head of its column.
COLUMNS = {
    "weight": "weight",
    "least_side": "from px",
    **{f"ap50_{name}": f"AP50 {name.split('_')[0]}" for name in CLASS_NAMES},
    "map50": "mAP50",
    "map50_95": "mAP50-95",
    "accuracy": "accuracy",
    "macro_recall": "macro recall",
}
COLUMNS.update(ap50_with_mask="AP50 mask", ap50_without_mask="AP50 no mask", ap50_mask_weared_incorrect="AP50 wrong")


def table_of(cells: Sequence[Cell]) -> str:
    """Return the table as text, each column's best figure with a star."""
    rows = [cell.to_dict() for cell in cells]
    best = {key: max((row[key] for row in rows if row[key] is not None), default=None) for key in list(COLUMNS)[2:]}
    lines = ["  ".join(f"{head:>12}" for head in COLUMNS.values())]
    for row in rows:
        words = [f"{row['weight']:.2g}", f"{row['least_side']:g}"]
        words += [_show(row[key], row[key] is not None and row[key] == best[key]) for key in best]
        lines.append("  ".join(f"{word:>12}" for word in words))
    return "\n".join(lines)


def _show(value: float | None, best: bool) -> str:
    return "–" if value is None else f"{value:.4f}{'*' if best else ' '}"


def csv_of(cells: Sequence[Cell]) -> str:
    """Return the cells as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cell.to_dict() for cell in cells)
    return text.getvalue()


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", help="an .onnx or .pt file, or the name of a shipped model")
    parser.add_argument("--classifier", help="an .onnx file, or the name of a shipped model")
    parser.add_argument("--data", required=True, help="a data.yaml, or a Pascal VOC folder")
    parser.add_argument("--split", help="its key in data.yaml (val)")
    parser.add_argument("--weights", type=float, nargs="+", default=WEIGHTS, help="the classifier's weights to try")
    parser.add_argument("--sides", type=float, nargs="+", default=LEAST_SIDES, help="least sides to try, in pixels")
    parser.add_argument("--imgsz", type=int, help="longer side of the detector's input")
    parser.add_argument("--device", default="cpu", help="cpu, or the index of a GPU")
    parser.add_argument("--json", type=Path, help="write the grid and how it was made")
    parser.add_argument("--csv", type=Path, help="write one row a cell")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> list[Cell]:
    """Ask both networks, score the grid, write and print it.

    Raises:
        MaskdetError: data or a model cannot be used, or a file cannot be written.
        ValueError: a value out of its range.
    """
    labelled = read_labelled(options.data, options.split)
    detector = MaskDetector(options.detector, imgsz=options.imgsz, device=options.device)
    classifier = MaskClassifier(options.classifier, device=options.device)
    answers = ask_both(detector, classifier, labelled, quiet=False)
    cells = list(track(score_grid(labelled.truths, answers, options.weights, options.sides), label="grid"))
    described: dict[str, Any] = {
        "schema": SCHEMA,
        "detector": {"name": detector.info.name, "imgsz": detector.info.imgsz},
        "classifier": {"name": classifier.info.name, "imgsz": classifier.info.imgsz},
        "data": {"name": labelled.data, "split": labelled.split, "photos": len(labelled.photos)},
        "cells": [cell.to_dict() for cell in cells],
    }
    if options.json:
        write_bytes(options.json, (json.dumps(described, indent=2) + "\n").encode())
    if options.csv:
        write_bytes(options.csv, csv_of(cells).encode())
    print(f"{detector.info.name} and {classifier.info.name} on {labelled.data} ({labelled.split}), "
          f"{len(labelled.photos)} photos; * the best of its column")  # fmt: skip
    print(table_of(cells))
    return cells


def main(arguments: Sequence[str] | None = None) -> None:
    """Run; what cannot be used is one line on standard error and exit code 2."""
    try:
        run(parse(arguments))
    except (MaskdetError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
