"""Compare training runs on one validation part: a row a run and input size, for docs/training.md.

Give it the ONNX files that ``maskdet export`` wrote into the runs' folders, and photos that none of them was trained on
and that no figure is reported on::

    python tools/lever_rows.py runs/base/weights/last.onnx runs/close_up/weights/last.onnx --data inner/data.yaml \
        --imgsz 512 640 --json benchmarks/results/levers.json

AP is COCO's. Recall is that of the scale stress test (``maskdet val --stress``) on a few pictures a bucket and class.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

from figures.training import levers

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import coco_scores
from maskdet.detector.evaluation.evaluate import VAL_CONF, detect_split
from maskdet.detector.evaluation.labelled_split import LabelledSplit, read_split
from maskdet.detector.evaluation.stress.score import stress
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_IOU
from maskdet.detector.inference.runtime import OnnxRuntime
from maskdet.errors import MaskdetError
from maskdet.files.atomic import write_bytes

#: What a run may differ in: keys of the file's training metadata.
RECIPE = ("start", "epochs", "imgsz", "lr0", "freeze", "close_up", "rare_photo", "paste_rare", "slip_mask", "seed")


def row_of(path: Path, labelled: LabelledSplit, imgsz: int, pictures: int, *, quiet: bool) -> dict[str, Any]:
    """Return one row.

    Args:
        path: an ONNX file in a run's ``weights`` folder; the row is called after the run.
        labelled: photos and labels.
        imgsz: longer side of the network's input in pixels.
        pictures: of the stress test, a bucket and class.
        quiet: no progress bars.
    """
    name = path.parent.parent.name if path.parent.name == "weights" else path.stem
    trained = json.loads(OnnxRuntime(path, name=name).spec.metadata["maskdet_training"])
    detector = MaskDetector(path, imgsz=imgsz)
    found, _ = detect_split(detector, labelled, conf=VAL_CONF, iou=DEFAULT_IOU, batch=1, quiet=quiet)
    ap = coco_scores(labelled.truths, found).ap[:, :, 0]
    row: dict[str, Any] = {"run": name, "tested_at": imgsz, "map50": ap[0].mean(), "map50_95": ap.mean()}
    row |= {f"ap50_{label}": value for label, value in zip(CLASS_NAMES, ap[0], strict=True)}
    for bucket, figures in stress(detector, labelled, most=pictures, resamples=0, quiet=quiet).buckets.items():
        recalls = [figures.rows[label].recall.value for label in CLASS_NAMES[:2]]
        row[f"recall_{bucket}"] = sum(value or 0.0 for value in recalls) / len(recalls)
    row |= {key: trained.get(key) for key in RECIPE}
    row["training_s"] = _seconds(path.parent.parent / "results.csv")
    return {key: round(float(value), 4) if isinstance(value, float) else value for key, value in row.items()}


def _seconds(results: Path) -> float | None:
    """Return the wall time of a run from ultralytics' ``results.csv``, None where there is none."""
    if not results.is_file():
        return None
    with results.open(encoding="utf-8", newline="") as file:
        return max(float(row["time"]) for row in csv.DictReader(file))


def main() -> None:
    """Read the command line, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=Path, nargs="+")
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--imgsz", type=int, nargs="+", default=[640])
    parser.add_argument("--pictures", type=int, default=30, help="of the stress test, a bucket and class")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    try:
        labelled = read_split(options.data, options.split)
        rows = [
            row_of(path, labelled, imgsz, options.pictures, quiet=options.quiet)
            for path in options.onnx
            for imgsz in options.imgsz
        ]
    except MaskdetError as error:
        sys.exit(f"error: {error}")
    files = " ".join(f"runs/{path.parent.parent.name}/weights/{path.name}" for path in options.onnx)
    sizes = " ".join(map(str, options.imgsz))
    report = {
        "command": f"python tools/lever_rows.py {files} --data {labelled.data} --imgsz {sizes}",
        "photos": len(labelled.photos),
        "faces": {
            name: sum(int((t.class_ids == i).sum()) for t in labelled.truths) for i, name in enumerate(CLASS_NAMES)
        },
        "pictures": options.pictures,
        "rows": rows,
    }
    print(levers(report), end="")
    if options.json:
        write_bytes(options.json, (json.dumps(report, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
