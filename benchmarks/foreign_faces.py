"""What becomes of faces from sources left out of the trainings, by their size: found, under which class, or missed.

::

    maskdet convert OPEN_PHOTOS open --val-fraction 0.01 --no-duplicates
    python benchmarks/foreign_faces.py open --sources xo_bssw,xo_cfde,xo_fdg --weights maskdet-n --mode chain
    python benchmarks/foreign_faces.py open --only benchmarks/hard_negatives.csv --mode chain

``hard_negatives.csv`` lists 60 bare faces of these sources whose mouth or chin is behind a hand, a thing, a beard, a
scarf or a collar, chosen by eye before any model was asked (CC BY 4.0: xo_cfde and xo_fdg; MIT: xo_bssw).

Size is a face's longer side when the photo's longer side is 640 px. A face counts as found by the most confident box
that overlaps it with IoU 0.4 or more; intervals are Wilson's at 95 %, faces of one photo taken as independent.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import maskdet
from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import coco_iou, match
from maskdet.detector.evaluation.labelled_split import Truth, read_split
from maskdet.statistics.figures import wilson
from maskdet.weights import identify

SIZES = (0, 16, 32, 64, 128, np.inf)
MISSED = "missed"
OVERLAP = np.array([0.4])
ABOUT = (
    "Labelled faces of the sources xo_bssw, xo_cfde and xo_fdg by their longer side when the photo's is 640 px; "
    "a face counts as found at IoU 0.4; in brackets Wilson's 95 % interval by face."
)
#: IoU from which a labelled face is a listed one: both are the same box, rounded in other ways.
SAME = 0.9


Listed = dict[str, np.ndarray[Any, np.dtype[np.float64]]]


def read_listed(file: Path) -> Listed:
    """Return the (N, 4) xyxy boxes of each listed photo, by the photo's stem."""
    boxes: dict[str, list[list[float]]] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            boxes.setdefault(Path(row["photo"]).stem, []).append(
                [float(row[key]) for key in ("xmin", "ymin", "xmax", "ymax")]
            )
    return {stem: np.array(rows) for stem, rows in boxes.items()}


def answers(
    truth: Truth, result: maskdet.MaskResult, listed: np.ndarray[Any, np.dtype[np.float64]] | None = None
) -> list[tuple[int, int, str]]:
    """Return class, size bucket and answer of each labelled face of one photo, or of the listed faces only."""
    faces = sorted(result.faces, key=lambda face: -face.confidence)
    boxes = np.array([face.box for face in faces], np.float64).reshape(-1, 4)
    found = match(coco_iou(boxes, truth.boxes), OVERLAP)[0]
    answer = {int(face): faces[place].name for place, face in enumerate(found) if face >= 0}
    scale = 640 / max(result.image.width, result.image.height)
    sides = (truth.boxes[:, 2:] - truth.boxes[:, :2]).max(axis=1, initial=0) * scale
    buckets = np.digitize(sides, SIZES) - 1
    wanted = np.ones(len(sides), bool) if listed is None else (coco_iou(truth.boxes, listed) > SAME).any(axis=1)
    return [
        (int(class_id), int(bucket), answer.get(place, MISSED))
        for place, (class_id, bucket) in enumerate(zip(truth.class_ids, buckets, strict=True))
        if wanted[place]
    ]


def main() -> None:
    """Look at the photos and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a data.yaml, or its folder; all of its splits are used")
    parser.add_argument("--sources", default="", help="how the photos' names begin, with commas; all by default")
    parser.add_argument(
        "--only", type=Path, help="a CSV file of faces (photo, xmin, ymin, xmax, ymax): no others count"
    )
    parser.add_argument("--weights", help="the detector, else the default one")
    parser.add_argument("--classifier", help="the classifier, else the shipped one")
    parser.add_argument("--mode", choices=["detect", "chain"], default="detect")
    parser.add_argument("--conf", type=float, help="else the model's own thresholds")
    parser.add_argument("--close-ups", action="store_true", default=None)
    parser.add_argument("--json", type=Path, help="add the rows to this file")
    parser.add_argument("--what", default="", help="what the rows are called there")
    options = parser.parse_args()

    begins = tuple(options.sources.split(","))
    parts = [read_split(options.data, split) for split in ("train", "val")]
    pairs = [pair for part in parts for pair in zip(part.photos, part.truths, strict=True)]
    listed: Listed | None = None if options.only is None else read_listed(options.only)
    pairs = [
        (photo, truth)
        for photo, truth in pairs
        if photo.name.startswith(begins) and (listed is None or photo.stem in listed)
    ]
    detector = maskdet.MaskDetector(
        options.weights, conf=options.conf, threads=1, close_ups=options.close_ups, agnostic_nms=True
    )
    classifier = maskdet.MaskClassifier(options.classifier) if options.mode == "chain" else None
    results = maskdet.predict(
        [photo for photo, _ in pairs], mode=options.mode, detector=detector, classifier=classifier, stream=True
    )
    counts: Counter[tuple[int, int, str]] = Counter()
    for (photo, truth), result in zip(pairs, results, strict=True):
        counts.update(answers(truth, result, None if listed is None else listed[photo.stem]))

    rows: list[dict[str, Any]] = []
    for class_id, name in enumerate(CLASS_NAMES):
        for bucket in range(len(SIZES) - 1):
            faces = sum(number for (of, size, _), number in counts.items() if (of, size) == (class_id, bucket))
            if not faces:
                continue
            low, high = SIZES[bucket], SIZES[bucket + 1]
            row: dict[str, Any] = {"class": name, "side": f"{low:g}-{high:g}", "faces": faces}
            for answer in (*CLASS_NAMES, MISSED):
                number = counts[class_id, bucket, answer]
                row[answer] = [number / faces, *wilson(number, faces)]
            rows.append(row)
            cells = (f"{row[a][0]:.2f} ({row[a][1]:.2f}–{row[a][2]:.2f})" for a in (*CLASS_NAMES, MISSED))
            print(f"{name:<22} {row['side']:>8} {faces:>5}  " + "  ".join(cells), flush=True)
    if options.json:
        report = (
            json.loads(options.json.read_text("utf-8")) if options.json.is_file() else {"about": ABOUT, "parts": []}
        )
        words = shlex.join(str(word) for word in sys.argv[1:])
        part = {"what": options.what, "command": f"python benchmarks/foreign_faces.py {words}", "photos": len(pairs)}
        models = [identify(options.weights)]
        models += [identify(options.classifier, "classify")] if options.mode == "chain" else []
        report["parts"].append({**part, "models": models, "rows": rows})
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
