"""Face crops through the classifier: from pixels to answers, and its bare network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.benchmark.inputs import base_picture
from maskdet.benchmark.runs import Rounds, Way, alternate
from maskdet.benchmark.section import Column, Row, Section, Settings
from maskdet.classifier.crops.window import crop_windows, cut
from maskdet.classifier.inference.model import MaskClassifier
from maskdet.imaging.tensor import to_tensor
from maskdet.sessions.processor import usable_cores

#: Crops run at once.
BATCHES = (1, 16)

#: One round is milliseconds, so there are many.
ROUNDS_EACH = 10

#: A face in the first of the four portraits, xyxy in pixels; what is in it does not matter to the speed.
FACE = (60.0, 60.0, 190.0, 230.0)

COLUMNS = (
    Column("crop_ms", "a crop, ms", 3),
    Column("share_of_bare", "speed / network alone", 2, "≥ 0.9"),
)


def classifier_calls(
    classifier: MaskClassifier, photo: npt.NDArray[np.uint8], face: tuple[float, float, float, float], batch: int
) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name, each for ``batch`` crops of a face, xyxy in pixels of (H, W, 3) uint8 BGR."""
    spec = classifier.spec
    # The same face over and over, each shifted by some pixels: what a crowd costs, not what a cache saves.
    shifts = np.random.default_rng(0).uniform(-20, 20, (batch, 2))
    boxes = np.array(face) + np.tile(shifts, 2)
    windows = crop_windows(boxes, (photo.shape[1], photo.shape[0]), margin=spec.margin, square=spec.square)
    crops: list[npt.NDArray[np.uint8]] = [cut(photo, window) for window in windows]
    ready = to_tensor([cut(photo, window, spec.side) for window in windows])
    return {
        "from crops": lambda: classifier.probabilities(crops),
        "from photo and boxes": lambda: classifier.classify_boxes(photo, boxes),
        "network alone": lambda: classifier.run(ready),
    }


def time_calls(calls: Mapping[str, Callable[[], object]], runs: int, batch: int) -> Rounds:
    """Time each call in turn: ``crop_ms``, its milliseconds shared among ``batch`` crops."""

    def timed(call: Callable[[], object]) -> Way:
        def run() -> dict[str, float]:
            start = time.perf_counter()
            call()
            return {"crop_ms": (time.perf_counter() - start) * 1000 / batch}

        return run

    return alternate({name: timed(call) for name, call in calls.items()}, runs)


def measure_classifier(settings: Settings, folder: Path) -> Section:
    """Measure the classifier at each of ``BATCHES``."""
    cv2.setNumThreads(usable_cores())
    classifier = MaskClassifier(settings.classifier)
    photo, rows = base_picture(), []
    for batch in BATCHES:
        rounds = time_calls(classifier_calls(classifier, photo, FACE, batch), settings.runs * ROUNDS_EACH, batch)
        for name in rounds.samples:
            share = None if name == "network alone" else rounds.ratio("network alone", name, "crop_ms")
            row = Row.of(rounds, name, share_of_bare=share)
            rows.append(Row(f"{name}, batch {batch}", row.figures, rounds=row.rounds))
    title = f"Face crops, {classifier.info.name} at {classifier.spec.side} px, ONNX Runtime"
    notes = (f"medians of {settings.runs * ROUNDS_EACH} rounds in one process.",)
    return Section("classifier", title, COLUMNS, tuple(rows), notes)
