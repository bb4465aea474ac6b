"""When a second look pays: recall of re-framed faces, and how many pictures need one, by the confidence of the first.

Both looks are taken of every picture; the limits are then tried on what they found. Use photos that the detector was
not trained on and that no figure is reported on::

    python benchmarks/close_ups_when.py --weights best.onnx --data inner --json close_ups_when.json
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.photos.picture_file import look_at
from maskdet.detector.evaluation.coco import coco_scores
from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.evaluation.labelled_split import read_split
from maskdet.detector.evaluation.matching import MATCH_IOU, coco_iou
from maskdet.detector.evaluation.stress.frames import BUCKETS, Frame, plan_frames
from maskdet.detector.evaluation.stress.score import pictures
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.postprocess import Detections, best_confidence
from maskdet.detector.inference.views import Look
from maskdet.imaging.decode import decode_file

#: Of the first look's best confidence: 0 never takes a second look, 1 always.
LIMITS = (0.0, 0.25, 0.5, 0.7, 1.0)


def main() -> None:
    """Print a table, and with ``--json`` write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data.yaml, or its folder")
    parser.add_argument("--split", default="val")
    parser.add_argument("--weights", help="the detector, else the shipped one")
    parser.add_argument("--most", type=int, default=30, help="re-framed pictures a bucket and class")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    labelled = read_split(options.data, options.split)
    detector = MaskDetector(options.weights, close_ups=True)
    frames = plan_frames(labelled.truths, [look_at(photo).size for photo in labelled.photos], most=options.most)
    framed = [one for picture in pictures(labelled, iter(frames)) for one in detector.look([picture])]
    plain = [one for photo in labelled.photos for one in detector.look([decode_file(photo)])]
    rows = {}
    for limit in LIMITS:
        recall, again = by_bucket(frames, framed, limit)
        found = [select(one, limit, conf=VAL_CONF, multi_label=True) for one in plain]
        ap = coco_scores(labelled.truths, found).ap[:, :, 0]
        rows[f"{limit:g}"] = {
            "recall": recall,
            "second_looks": {**again, "photos as they are": share([unsure(one, limit) for one in plain])},
            "map50": round(float(ap[0].mean()), 4),
            "map50_95": round(float(ap.mean()), 4),
        }
        print(limit, json.dumps(rows[f"{limit:g}"]), flush=True)
    if options.json:
        report = {
            "command": f"python benchmarks/close_ups_when.py --weights {Path(str(options.weights)).name} "
            f"--data {Path(labelled.data).parent}",
            "model": detector.info.name,
            "imgsz": detector.info.imgsz,
            "pictures": len(frames),
            "photos": len(plain),
            "limits": rows,
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def unsure(look: Look, limit: float) -> bool:
    """Say whether the first look found nothing as sure as ``limit``."""
    return best_confidence(look.whole[0]) < limit


def select(look: Look, limit: float, *, conf: float, multi_label: bool = False) -> Detections:
    """Return what a detector with this limit finds."""
    seen = look if unsure(look, limit) else look._replace(close=None)
    return seen.select(conf=conf, iou=DEFAULT_IOU, multi_label=multi_label)


def by_bucket(
    frames: Sequence[Frame], looks: Sequence[Look], limit: float
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return recall by bucket and class, and by bucket the share of pictures seen twice."""
    hits: dict[str, dict[str, list[bool]]] = {bucket: defaultdict(list) for bucket in BUCKETS}
    again: dict[str, list[bool]] = {bucket: [] for bucket in BUCKETS}
    for frame, look in zip(frames, looks, strict=True):
        found = select(look, limit, conf=DEFAULT_CONF)
        boxes = found.boxes[found.class_ids == frame.class_id]
        hits[frame.bucket][CLASS_NAMES[frame.class_id]].append(is_found(boxes, frame.target))
        again[frame.bucket].append(unsure(look, limit))
    recall = {bucket: {name: share(values) for name, values in rows.items()} for bucket, rows in hits.items()}
    return recall, {bucket: share(values) for bucket, values in again.items()}


def is_found(boxes: npt.NDArray[np.float32], target: npt.NDArray[np.float64]) -> bool:
    """Say whether one of (N, 4) boxes overlaps the target enough."""
    return bool(len(boxes)) and bool((coco_iou(boxes, target[None]) >= MATCH_IOU).any())


def share(values: Sequence[bool]) -> float:
    """Return the share of true values, rounded."""
    return round(float(np.mean(values)), 4)


if __name__ == "__main__":
    main()
