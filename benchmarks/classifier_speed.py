"""Milliseconds a face crop: ``MaskClassifier`` from pixels to answers, and its bare network.

Faces are cut out of one of the example pictures by the model's own rule. The ways are timed in turn, so that whatever
else the machine does hits all of them; the figure is the median over the runs::

    python benchmarks/classifier_speed.py --json benchmarks/results/classifier_speed.json
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.classifier.crop_window import crop_windows, cut
from maskdet.classifier.model import MaskClassifier
from maskdet.decode import decode_file
from maskdet.detector.cpu import usable_cores
from maskdet.detector.letterbox import to_tensor
from maskdet.errors import MaskdetError

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "examples" / "astronaut.jpg"
#: The face in it, xyxy in pixels.
FACE = (178.0, 75.0, 272.0, 186.0)

Way = Callable[[], object]


def ways(classifier: MaskClassifier, batch: int) -> dict[str, Way]:
    """Return what is timed, by name, each for ``batch`` crops."""
    spec = classifier.spec
    photo = decode_file(PHOTO)
    # The same face over and over, each shifted by some pixels: what a crowd costs, not what a cache saves.
    shifts = np.random.default_rng(0).uniform(-20, 20, (batch, 2))
    boxes = np.array(FACE) + np.tile(shifts, 2)
    windows = crop_windows(boxes, (photo.shape[1], photo.shape[0]), margin=spec.margin, square=spec.square)
    crops: list[npt.NDArray[np.uint8]] = [cut(photo, window) for window in windows]
    ready = to_tensor([cut(photo, window, spec.side) for window in windows])
    return {
        "from crops": lambda: classifier.probabilities(crops),
        "from photo and boxes": lambda: classifier.classify_boxes(photo, boxes),
        "network alone": lambda: classifier.run(ready),
    }


def measure(chosen: dict[str, Way], runs: int) -> dict[str, float]:
    """Return the median milliseconds of each way over ``runs`` rounds, after one round unmeasured."""
    samples: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(runs + 1):
        for name, way in chosen.items():
            start = time.perf_counter()
            way()
            if number:
                samples[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(times) for name, times in samples.items()}


def main() -> None:
    """Measure every batch size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", help="a classifier instead of the shipped one")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=0, help="0: one a core")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    cv2.setNumThreads(options.threads or usable_cores())
    try:
        classifier = MaskClassifier(options.weights, threads=options.threads)
    except MaskdetError as error:
        raise SystemExit(f"error: {error}") from error
    crop_ms: dict[str, dict[str, float]] = {}
    for batch in options.batches:
        taken = measure(ways(classifier, batch), options.runs)
        crop_ms[str(batch)] = {name: round(value / batch, 3) for name, value in taken.items()}
        figures = "   ".join(f"{name} {value:7.3f} ms" for name, value in crop_ms[str(batch)].items())
        print(f"batch {batch:3}, a crop:   {figures}")
    report: dict[str, Any] = {
        "command": f"python benchmarks/classifier_speed.py --runs {options.runs}",
        "machine": f"{platform.machine()}, {usable_cores()} cores, Python {platform.python_version()}",
        "model": classifier.info.name,
        "side": classifier.spec.side,
        "threads": options.threads or usable_cores(),
        "crop_ms": crop_ms,
    }
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
