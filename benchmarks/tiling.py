"""Large pictures with small faces: the whole picture, the whole at a larger input, and in tiles.

The pictures are mosaics of 1920×1080 pixels, laid together from the 170 photos of the published split's val part, which
maskdet-n-public was not trained on, at their own size. Prints a table and, with ``--json``, writes the figures::

    python benchmarks/tiling.py --data FACE_MASK_DETECTION --json benchmarks/results/tiling.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.grouping.splits import split_public
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.detector.evaluation.coco import coco_iou, coco_scores, match
from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.evaluation.labelled_split import Truth
from maskdet.detector.inference.letterbox import PAD_VALUE
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF
from maskdet.detector.inference.postprocess import Detections
from maskdet.imaging.decode import decode_file
from maskdet.weights import identify

WIDTH, HEIGHT = 1920, 1080

#: Sides of a face in pixels below which it counts as small.
SMALL = 16

WAYS: dict[str, dict[str, Any]] = {
    "whole, 640": {},
    "whole, imgsz=1920": {"imgsz": 1920},
    "whole, imgsz=3072": {"imgsz": 3072},
    "tile=640": {"tile": 640},
    "tile=400": {"tile": 400},
}


def main() -> None:
    """Run every way over the same mosaics, one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public data set")
    parser.add_argument("--weights", default="maskdet-n-public", help="the detector; maskdet-n has seen these photos")
    parser.add_argument("--most", type=int, help="use so many mosaics, to try")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    photos = read_part(options.data)
    mosaics = build_mosaics(photos, most=options.most)
    truths = [mosaic.truth for mosaic in mosaics]
    print(f"{len(mosaics)} pictures, {sum(len(truth.class_ids) for truth in truths)} faces")
    print(heading())
    ways = {}
    for name, settings in WAYS.items():
        found, seconds = detect_all(MaskDetector(options.weights, threads=1, **settings), mosaics)
        ways[name] = {**figures(truths, found), "cpu_seconds": round(seconds, 2)}
        print(line(name, ways[name]), flush=True)
    report = {
        "command": f"python benchmarks/tiling.py --data FACE_MASK_DETECTION --weights {options.weights}",
        "model": identify(options.weights),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "pictures": len(mosaics),
        "size": [WIDTH, HEIGHT],
        "photos": len(photos),
        "faces": {name: sum(int((t.class_ids == i).sum()) for t in truths) for i, name in enumerate(CLASS_NAMES)},
        "small_faces": sum(int((sides(truth) < SMALL).sum()) for truth in truths),
        "median_side": round(float(np.median(np.concatenate([sides(truth) for truth in truths]))), 1),
        "conf": DEFAULT_CONF,
        "ways": ways,
    }
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """One picture, (H, W, 3) uint8 BGR, and the faces in it."""

    pixels: npt.NDArray[np.uint8]
    truth: Truth


def read_part(folder: Path) -> list[Photo]:
    """Return the held-out photos of the published split, by name."""
    collection, _ = read_voc(folder, ReadOptions(quiet=True))
    parts = split_public(folder, collection.photos)
    return [photo for photo, its_part in zip(collection.photos, parts, strict=True) if its_part == "val"]


def build_mosaics(photos: Sequence[Photo], *, seed: int = 0, most: int | None = None) -> list[Mosaic]:
    """Lay photos out in rows, in random order, each once, until all are used or ``most`` mosaics are full."""
    order = list(photos)
    random.Random(seed).shuffle(order)
    mosaics: list[Mosaic] = []
    while order and (most is None or len(mosaics) < most):
        mosaics.append(_fill(order))
    return mosaics


def _fill(order: list[Photo]) -> Mosaic:
    """Take photos off the front of ``order`` while they fit, row by row."""
    canvas = np.full((HEIGHT, WIDTH, 3), PAD_VALUE, np.uint8)
    boxes, class_ids = [np.zeros((0, 4))], [np.zeros(0, np.int64)]
    left = top = row = 0
    while order:
        image = decode_file(order[0].picture.path)
        height, width = image.shape[:2]
        if left + width > WIDTH:
            left, top, row = 0, top + row, 0
        if top + height > HEIGHT:
            break
        photo = order.pop(0)
        canvas[top : top + height, left : left + width] = image
        boxes.append(photo.boxes + np.array([left, top, left, top]))
        class_ids.append(photo.class_ids)
        left, row = left + width, max(row, height)
    if len(boxes) == 1:
        raise ValueError(f"{order[0].name} is larger than {WIDTH}×{HEIGHT}")
    return Mosaic(canvas, Truth(np.concatenate(boxes), np.concatenate(class_ids)))


def detect_all(detector: MaskDetector, mosaics: Sequence[Mosaic]) -> tuple[list[Detections], float]:
    """Return what was found, and processor seconds a picture: on one thread, what else runs changes them little."""
    start = time.process_time()
    found = [detector.detect_arrays([one.pixels], conf=VAL_CONF, multi_label=True)[0] for one in mosaics]
    return found, (time.process_time() - start) / len(mosaics)


def sides(truth: Truth) -> np.ndarray[Any, Any]:
    """Return (N,) the side of each face, the square root of its area, in pixels."""
    return np.sqrt(np.prod(truth.boxes[:, 2:] - truth.boxes[:, :2], axis=1))


def figures(truths: Sequence[Truth], found: Sequence[Detections]) -> dict[str, Any]:
    """Score: AP as ``maskdet val`` does; precision and recall at the shipped threshold and IoU 0.5, class by class."""
    scores = coco_scores(truths, found)
    right = wrong = small = 0
    for truth, every in zip(truths, found, strict=True):
        detected = as_reported(every)
        for class_id in range(len(CLASS_NAMES)):
            faces = np.flatnonzero(truth.class_ids == class_id)
            overlap = coco_iou(detected.boxes[detected.class_ids == class_id], truth.boxes[faces])
            matched = match(overlap, np.array([0.5]))[0]
            right += int((matched >= 0).sum())
            wrong += int((matched < 0).sum())
            small += int((sides(truth)[faces[matched[matched >= 0]]] < SMALL).sum())
    labelled = sum(len(truth.class_ids) for truth in truths)
    small_labelled = sum(int((sides(truth) < SMALL).sum()) for truth in truths)
    return {
        "ap50": {name: round(float(value), 4) for name, value in zip(CLASS_NAMES, scores.ap[0, :, 0], strict=True)},
        "map50": round(float(np.nanmean(scores.ap[0, :, 0])), 4),
        "map50_95": round(float(np.nanmean(scores.ap[:, :, 0])), 4),
        "precision": round(right / max(right + wrong, 1), 4),
        "recall": round(right / labelled, 4),
        "recall_small": round(small / max(small_labelled, 1), 4),
    }


def as_reported(found: Detections) -> Detections:
    """Keep what ``maskdet detect`` would report: above its threshold, and of one box's classes the best."""
    above = np.flatnonzero(found.confidences > DEFAULT_CONF)
    _, first = np.unique(found.boxes[above], axis=0, return_index=True)  # most confident first: the first is the best
    kept = above[np.sort(first)]
    return Detections(found.boxes[kept], found.confidences[kept], found.class_ids[kept])


COLUMNS = ("map50", "map50_95", "precision", "recall", "recall_small", "cpu_seconds")


def heading() -> str:
    """Return the table's first line."""
    names = [*(f"AP50 {name[:13]}" for name in CLASS_NAMES), *COLUMNS]
    return "  ".join([f"{'':18}", *(f"{name:>18}" for name in names)])


def line(name: str, row: dict[str, Any]) -> str:
    """Return one line of the table."""
    values = [*row["ap50"].values(), *(row[column] for column in COLUMNS)]
    return "  ".join([f"{name:18}", *(f"{value:18.3f}" for value in values)])


if __name__ == "__main__":
    main()
