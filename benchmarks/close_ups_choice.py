"""How the numbers of ``detector/inference/close_ups.py`` were chosen: sizes and shares side by side, on training photos
only.

Each picture goes through the network once at each size; the shares are then tried on what it found. Recall, AP50 and
false alarms a picture are those of re-framed faces (``maskdet val --stress``); the last three columns are of the photos
as they are. The shipped model was trained on these very photos, so the figures rank the numbers and say nothing of its
accuracy::

    python benchmarks/close_ups_choice.py --data public
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.photos.picture_file import look_at
from maskdet.detector.evaluation.coco import coco_scores
from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.evaluation.labelled_split import LabelledSplit, read_split
from maskdet.detector.evaluation.operating_point import operating_point
from maskdet.detector.evaluation.stress.frames import plan_frames
from maskdet.detector.evaluation.stress.report import Bucket
from maskdet.detector.evaluation.stress.score import pictures, score_frames
from maskdet.detector.inference.close_ups import DEFAULT_CLOSE_UPS, add_close_ups
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.postprocess import Detections, box_iou, select, to_picture
from maskdet.detector.inference.tiles import MERGE_IOU, longer_than
from maskdet.imaging.decode import decode_file

#: Buckets with a column of their own.
SHOWN = ("25 %", "50 %", "75 %", "95 %")


class Seen(NamedTuple):
    """What was found in one picture at one input size: for average precision, and as reported."""

    size: tuple[int, int]
    every: Detections
    reported: Detections


def main() -> None:
    """Print one line for each way, and with ``--json`` write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data.yaml, or its folder; its split train is used")
    parser.add_argument("--weights", help="the detector, else the shipped one")
    parser.add_argument("--most", type=int, default=30, help="re-framed pictures a bucket and class")
    parser.add_argument("--every", type=int, default=6, help="of the photos as they are, use every n-th")
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 128, 160, 192, 256])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.2, 0.25, 0.3, 0.4])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    labelled = read_split(options.data, "train")
    frames = plan_frames(labelled.truths, [look_at(photo).size for photo in labelled.photos], most=options.most)
    photos = labelled.photos[:: options.every]
    part = LabelledSplit(labelled.data, labelled.split, photos, labelled.truths[:: options.every])
    usual = MaskDetector(options.weights, threads=1, close_ups=False)
    detectors = {0: usual}
    for size in options.sizes:
        detectors[size] = MaskDetector(options.weights, threads=1, close_ups=False, imgsz=size)
    plain = [see(detectors, decode_file(photo)) for photo in photos]
    framed = [see(detectors, picture) for picture in pictures(labelled, iter(frames))]

    print(f"{len(frames)} re-framed pictures, {len(photos)} photos")
    print(heading())
    ways = {}
    for name, way in every_way(options.sizes, options.shares):
        every, reported = ([way.join(one, which) for one in framed] for which in ("every", "reported"))
        scored = score_frames(frames, every, reported, len(labelled.photos), resamples=0)
        ways[name] = {**stress_figures(scored), **plain_figures(part, plain, way)}
        print(line(name, ways[name]), flush=True)
    if options.json:
        report = {
            "command": "python benchmarks/close_ups_choice.py --data public",
            "model": usual.info.name,
            "imgsz": usual.info.imgsz,
            "pictures": len(frames),
            "photos": len(photos),
            "ways": ways,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")


class Way(NamedTuple):
    """A second look.

    Attributes:
        size: its input, pixels; 0 for none.
        share: its boxes count from this share of the picture's longer side on.
        iou: threshold of NMS over both looks.
        any_class: let a box of one look give way to a surer one of the other also where their classes differ.
    """

    size: int
    share: float
    iou: float = MERGE_IOU
    any_class: bool = False

    def join(self, seen: dict[int, Seen], which: str) -> Detections:
        """Return what a detector with such close-ups finds."""
        whole: Detections = getattr(seen[0], which)
        if not self.size:
            return whole
        close = longer_than(getattr(seen[self.size], which), self.share * max(seen[0].size))
        if self.any_class and len(whole.boxes) and len(close.boxes):
            same = box_iou(whole.boxes, close.boxes) > self.iou
            surer = whole.confidences[:, None] >= close.confidences
            whole, close = whole.take(~(same & ~surer).any(axis=1)), close.take(~(same & surer).any(axis=0))
        return add_close_ups(whole, close, seen[0].size, iou=self.iou)


def every_way(sizes: list[int], shares: list[float]) -> Iterator[tuple[str, Way]]:
    """Yield every way with its name, at last other rules with the chosen numbers."""
    yield "none", Way(0, 0.0)
    for size in sizes:
        for share in shares:
            yield f"{size} px, from {share:g}", Way(size, share)
    chosen = DEFAULT_CLOSE_UPS
    if chosen.imgsz in sizes:
        name = f"{chosen.imgsz} px, from {chosen.share:g}"
        yield f"{name}, NMS at {DEFAULT_IOU:g}", Way(chosen.imgsz, chosen.share, DEFAULT_IOU)
        yield f"{name}, any class", Way(chosen.imgsz, chosen.share, any_class=True)


def see(detectors: dict[int, MaskDetector], image: npt.NDArray[np.uint8]) -> dict[int, Seen]:
    """Run the network on one picture at every size."""
    seen = {}
    for size, detector in detectors.items():
        ((raw, letterbox),) = detector.raw_outputs([image])
        every = to_picture(select(raw, conf=VAL_CONF, iou=DEFAULT_IOU, multi_label=True), letterbox)
        reported = to_picture(select(raw, conf=DEFAULT_CONF, iou=DEFAULT_IOU), letterbox)
        seen[size] = Seen((image.shape[0], image.shape[1]), every, reported)
    return seen


def stress_figures(scored: dict[str, Bucket]) -> dict[str, Any]:
    """Return recall by class, mean AP50 and false alarms of each bucket shown."""
    return {
        name: {
            "recall": {key: scored[name].rows[key].recall.value for key in (*CLASS_NAMES, "mean")},
            "ap50": scored[name].rows["mean"].ap50.value,
            "false_alarms": scored[name].false_alarms.value,
        }
        for name in SHOWN
    }


def plain_figures(part: LabelledSplit, plain: list[dict[int, Seen]], way: Way) -> dict[str, float]:
    """Return the figures of the photos as they are."""
    ap = coco_scores(part.truths, [way.join(one, "every") for one in plain]).ap[:, :, 0]
    point = operating_point(part.truths, [way.join(one, "reported") for one in plain], conf=DEFAULT_CONF)
    return {
        "map50": float(np.nanmean(ap[0])),
        "map50_95": float(np.nanmean(ap)),
        "wrong": float(sum(one.wrong for one in point.classes)),
    }


def heading() -> str:
    """Return the table's first line: recall of with, without, incorrect; their mean AP50; false alarms a picture."""
    buckets = [f"{name + ' recall with/without/incorrect, AP50, false':>46}" for name in SHOWN]
    return "  ".join([f"{'':30}", *buckets, "photos mAP50", "mAP50-95", "wrong"])


def line(name: str, row: dict[str, Any]) -> str:
    """Return one line of the table."""
    cells = []
    for bucket in SHOWN:
        recalls = " / ".join(f"{row[bucket]['recall'][key]:.2f}" for key in CLASS_NAMES)
        cells.append(f"{recalls}, {row[bucket]['ap50']:.2f}, {row[bucket]['false_alarms']:.2f}".rjust(46))
    return "  ".join([f"{name:30}", *cells, f"{row['map50']:12.4f}", f"{row['map50_95']:8.4f}", f"{row['wrong']:5.0f}"])


if __name__ == "__main__":
    main()
