"""What several views of each photo are worth: average precision with mirrored and resized views, merged in two ways.

*best* is non-maximum suppression over the boxes of all views, as ultralytics' ``augment=True`` does it; *fused* is
``maskdet.detector.inference.augmented.fuse``. Use photos that the detector was not trained on and that no figure is
reported on::

    python benchmarks/augmented_views.py --weights best.onnx --data inner --json augmented_views.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.coco import coco_scores
from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.evaluation.labelled_split import LabelledSplit, read_split
from maskdet.detector.inference.augmented import AugmentedView, fuse, mirror
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_IOU
from maskdet.detector.inference.postprocess import Detections, non_maximum_suppression
from maskdet.detector.inference.thresholds import calibrated_conf
from maskdet.imaging.decode import decode_file
from maskdet.terminal.progress import track

FULL: Final = AugmentedView(1.0, False)

#: What is compared: a name and the views.
ROWS: Final[dict[str, tuple[AugmentedView, ...]]] = {
    "one": (FULL,),
    "mirrored": (FULL, AugmentedView(1.0, True)),
    "0.8": (FULL, AugmentedView(0.8, False)),
    "0.8 mirrored": (FULL, AugmentedView(0.8, True)),
    "1.2 mirrored": (FULL, AugmentedView(1.2, True)),
    "ultralytics' three: 0.83 mirrored, 0.67": (FULL, AugmentedView(0.83, True), AugmentedView(0.67, False)),
    "mirrored; 0.8 both ways": tuple(AugmentedView(scale, way) for scale in (1.0, 0.8) for way in (False, True)),
    "mirrored; 1.2 both ways": tuple(AugmentedView(scale, way) for scale in (1.0, 1.2) for way in (False, True)),
    "mirrored; 0.8 and 0.65 both ways": tuple(
        AugmentedView(scale, way) for scale in (1.0, 0.8, 0.65) for way in (False, True)
    ),
    "mirrored; 1.2 and 0.8 both ways": tuple(
        AugmentedView(scale, way) for scale in (1.0, 1.2, 0.8) for way in (False, True)
    ),
}


def main() -> None:
    """Print a row a way, and with ``--json`` write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a data.yaml, or its folder")
    parser.add_argument("--split", default="val")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    labelled = read_split(options.data, options.split)
    seen: dict[AugmentedView, list[Detections]] = {}
    seconds: dict[AugmentedView, float] = {}
    for view in sorted(set(chain.from_iterable(ROWS.values()))):
        started = time.process_time()
        seen[view] = detect(options.weights, labelled, view)
        seconds[view] = time.process_time() - started
    rows = []
    for name, views in ROWS.items():
        for way, merge in (("best", best_of), ("fused", fuse)) if len(views) > 1 else (("–", best_of),):
            found = [merge([seen[view][photo] for view in views]) for photo in range(len(labelled.photos))]
            ap = coco_scores(labelled.truths, found).ap[:, :, 0]
            cost = sum(seconds[view] for view in views) / seconds[FULL]
            row = {"views": name, "merged": way, "cost": round(cost, 2)}
            row |= {"map50": round(float(ap[0].mean()), 4), "map50_95": round(float(ap.mean()), 4)}
            row |= {f"ap50_{label}": round(float(value), 4) for label, value in zip(CLASS_NAMES, ap[0], strict=True)}
            rows.append(row)
            print(json.dumps(row, ensure_ascii=False), flush=True)
    if options.json:
        run = options.weights.parent.parent.name if options.weights.parent.name == "weights" else ""
        shown = f"runs/{run}/weights/{options.weights.name}" if run else options.weights.name
        report = {
            "command": f"python benchmarks/augmented_views.py --weights {shown} --data {labelled.data}",
            "photos": len(labelled.photos),
            "rows": rows,
        }
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def detect(weights: Path, labelled: LabelledSplit, view: AugmentedView) -> list[Detections]:
    """Return what one view of each photo shows, in pixels of the photo as it is."""
    usual = MaskDetector(weights, close_ups=False).info.imgsz
    detector = MaskDetector(weights, imgsz=round(view.scale * usual), close_ups=False, threads=1)
    conf = calibrated_conf(detector.metadata, VAL_CONF)
    found = []
    for path in track(labelled.photos, label=f"{detector.info.imgsz} px{' mirrored' if view.mirrored else ''}"):
        photo = decode_file(path)
        shown = np.ascontiguousarray(photo[:, ::-1]) if view.mirrored else photo
        (one,) = detector.detect_arrays([shown], conf=conf, iou=DEFAULT_IOU, multi_label=True)
        found.append(mirror(one, photo.shape[1]) if view.mirrored else one)
    return found


def best_of(views: Sequence[Detections]) -> Detections:
    """Let the boxes of all views suppress each other, class by class."""
    if len(views) == 1:
        return views[0]
    boxes = np.concatenate([view.boxes for view in views])
    confidences = np.concatenate([view.confidences for view in views])
    class_ids = np.concatenate([view.class_ids for view in views])
    planes = boxes + class_ids[:, None].astype(np.float32) * (boxes.max(initial=0.0) + 1)
    kept = non_maximum_suppression(planes, confidences, DEFAULT_IOU)
    return Detections(boxes[kept], confidences[kept], class_ids[kept])


if __name__ == "__main__":
    main()
