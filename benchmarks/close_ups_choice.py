"""Which second look pays: recall on re-framed faces of sources left out of training, and F1 on photos as they are.

::

    python benchmarks/close_ups_choice.py heldout.yaml

As ``maskdet detect`` answers by default: chained, above the model's own thresholds. Prints the rows of a table.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

import numpy as np
from defaults import choose_photos, figures, look

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.photos.picture_file import look_at
from maskdet.detector.evaluation.coco import coco_iou
from maskdet.detector.evaluation.labelled_split import read_split
from maskdet.detector.evaluation.stress import pictures
from maskdet.detector.evaluation.stress_frames import SHARES, plan_frames
from maskdet.detector.inference.close_ups import CloseUps
from maskdet.prediction.pipeline import Predictor, choose_predictor
from maskdet.results import ImageInfo

#: Side of the input in pixels, share from which boxes count, and below which best confidence a picture is seen again.
LOOKS: Final = (
    *((side, share, 1.0) for side in (160, 192, 256) for share in (0.15, 0.25)),
    *((160, 0.25, below) for below in (0.25, 0.5, 0.7, 0.85)),
    *((160, 0.15, below) for below in (0.85, 0.9, 0.95)),
)
BUCKETS: Final = [name for name in SHARES if name != "10 %"]


def main() -> None:
    """Look in every way, and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a data.yaml, or its folder; its split val is used")
    parser.add_argument("--weights", default="maskdet-n-public")
    parser.add_argument("--most", type=int, default=30, help="re-framed pictures a bucket and class")
    parser.add_argument("--photos", type=int, default=200)
    options = parser.parse_args()

    ways: dict[str, Predictor] = {"none": choose_predictor(weights=options.weights, threads=1, close_ups=False)}
    for side, share, below in LOOKS:
        name = f"{side} px, from {share}" + (f", below {below}" if below < 1 else "")
        close = CloseUps(side, share, below)
        ways[name] = choose_predictor(weights=options.weights, threads=1, close_ups=close)
    recall = dict.fromkeys(ways, "")
    for bucket, rows in recalls(ways, options.data, options.most).items():
        for name, row in rows.items():
            recall[name] += f" {row} |"
        print(bucket, rows, flush=True)
    pairs = choose_photos(options.data, ["val"], ("",), options.photos)
    found, seconds = look(ways, [photo for photo, _ in pairs])
    print(f"| second look | {' | '.join(BUCKETS)} | photos: mean F1 | P / R | time |")
    for name in ways:
        scored = figures([truth for _, truth in pairs], found[name])
        f1, precision, share = (scored[key]["mean"]["value"] for key in ("f1", "precision", "recall"))
        cells = f"{f1:.3f} | {precision:.3f} / {share:.3f} | {seconds[name] * 1000:.0f} ms"
        print(f"| {name} |{recall[name]} {cells} |", flush=True)


def recalls(ways: dict[str, Predictor], data: Path, most: int) -> dict[str, dict[str, str]]:
    """Return recall of each class in each bucket, by way; the class must be right."""
    labelled = read_split(data, "val")
    frames = plan_frames(labelled.truths, [look_at(photo).size for photo in labelled.photos], most=most)
    frames = [frame for frame in frames if frame.bucket in BUCKETS]
    right = {name: np.zeros(len(frames), bool) for name in ways}
    for at, (frame, image) in enumerate(zip(frames, pictures(labelled, iter(frames)), strict=True)):
        info = ImageInfo(None, image.shape[1], image.shape[0])
        for name, way in ways.items():
            (result,) = way.predict_batch([image], [info], keep_pixels=False)
            boxes = np.array([face.box for face in result.faces if face.class_id == frame.class_id]).reshape(-1, 4)
            right[name][at] = (coco_iou(boxes, frame.target[None]) >= 0.5).any()
    places = {
        (bucket, class_id): [
            at for at, frame in enumerate(frames) if (frame.bucket, frame.class_id) == (bucket, class_id)
        ]
        for bucket in BUCKETS
        for class_id in range(len(CLASS_NAMES))
    }
    return {
        bucket: {
            name: " / ".join(f"{right[name][places[bucket, at]].mean():.2f}" for at in range(len(CLASS_NAMES)))
            for name in ways
        }
        for bucket in BUCKETS
    }


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"{time.perf_counter() - start:.0f} s")
