"""What close-ups cost and change on photos as they are: time and accuracy with them and without, in turn.

::

    python benchmarks/close_ups.py --data public --json benchmarks/results/close_ups.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.evaluate import evaluate
from maskdet.detector.evaluation.labelled_split import LabelledSplit, read_split
from maskdet.detector.inference.model import MaskDetector
from maskdet.imaging.decode import decode_file
from maskdet.weights import identify

#: Name -> what ``MaskDetector`` is told: none, as the model wants it by itself, of every picture.
WAYS: dict[str, bool | None] = {"without": False, "as it ships": None, "of every picture": True}


def main() -> None:
    """Score both ways, then time them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a data.yaml, or its folder")
    parser.add_argument("--split", default="val")
    parser.add_argument("--weights", default="maskdet-n-public", help="the detector; maskdet-n has seen these photos")
    parser.add_argument("--most", type=int, help="use so many photos, to try")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    whole = read_split(options.data, options.split)
    labelled = LabelledSplit(
        whole.data, whole.split, whole.photos[: options.most], whole.truths[: options.most], whole.repeated
    )
    detectors = {name: MaskDetector(options.weights, threads=1, close_ups=wanted) for name, wanted in WAYS.items()}
    cost = seconds(list(detectors.values()), labelled)
    ways = {}
    for (name, detector), spent in zip(detectors.items(), cost, strict=True):
        ways[name] = {**accuracy(detector, labelled), "cpu_ms": round(spent * 1000, 2)}
        print(name, json.dumps(ways[name]), flush=True)
    close = detectors["as it ships"].close_ups
    report: dict[str, Any] = {
        "command": f"python benchmarks/close_ups.py --data {Path(labelled.data).parent} --weights {options.weights}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "data": {"name": labelled.data, "split": labelled.split, "photos": len(labelled.photos)},
        "model": identify(options.weights),
        "close_ups": None if close is None else close.to_dict(),
        "ways": ways,
        "seen_twice": seen_twice(detectors["as it ships"], labelled),
        "cost_ratio": {name: round(spent / cost[0], 4) for name, spent in zip(ways, cost, strict=True)},
    }
    print(f"cost ratio {report['cost_ratio']}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def accuracy(detector: MaskDetector, labelled: LabelledSplit) -> dict[str, Any]:
    """Return AP by class and the mean figures at the shipped threshold."""
    report = evaluate(detector, labelled, batch=1, resamples=0)
    return {
        "ap50": {name: report.ap["all"][name].ap50.value for name in CLASS_NAMES},
        "map50": report.map50,
        "map50_95": report.map50_95,
        "precision": report.point.mean("precision"),
        "recall": report.point.mean("recall"),
        "wrong": sum(point.wrong for point in report.point.classes),
    }


def seen_twice(detector: MaskDetector, labelled: LabelledSplit) -> float:
    """Return the share of photos that get a second look."""
    looks = (next(detector.look([decode_file(photo)])) for photo in labelled.photos)
    return round(sum(look.close is not None for look in looks) / len(labelled.photos), 4)


def seconds(detectors: list[MaskDetector], labelled: LabelledSplit) -> list[float]:
    """Return processor seconds a photo, decoding left out, on one thread: what else runs changes them little.

    Each photo goes through every detector before the next does, the order changing from photo to photo.
    """
    spent = np.zeros(len(detectors))
    for turn, photo in enumerate(labelled.photos):
        image = decode_file(photo)
        for index in range(len(detectors)):
            at = (index + turn) % len(detectors)
            start = time.process_time()
            detectors[at].detect_arrays([image])
            spent[at] += time.process_time() - start
    return (spent / len(labelled.photos)).tolist()  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
