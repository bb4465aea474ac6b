"""Milliseconds a face crop: ``MaskClassifier`` from pixels to answers, and its bare network.

Faces are cut out of one of the example pictures by the model's own rule. The ways are timed in turn, so that whatever
else the machine does hits all of them; the figure is the median over the runs::

    python benchmarks/classifier_speed.py --json benchmarks/results/classifier_speed.json
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import cv2

from maskdet.benchmark.classifier import classifier_calls, time_calls
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.errors import MaskdetError
from maskdet.imaging.decode import decode_file
from maskdet.sessions.processor import usable_cores

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "examples" / "astronaut.jpg"
#: The face in it, xyxy in pixels.
FACE = (178.0, 75.0, 272.0, 186.0)


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
    photo = decode_file(PHOTO)
    crop_ms: dict[str, dict[str, float]] = {}
    for batch in options.batches:
        rounds = time_calls(classifier_calls(classifier, photo, FACE, batch), options.runs, batch)
        crop_ms[str(batch)] = {name: round(rounds.medians(name)["crop_ms"], 3) for name in rounds.samples}
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
