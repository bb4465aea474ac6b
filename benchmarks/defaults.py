"""What each default of ``maskdet detect`` gives on photos held out, and what each ``--quality`` costs.

::

    python benchmarks/defaults.py public --splits val --weights maskdet-n-public --photos 170 --json public.json
    python benchmarks/defaults.py heldout.yaml --splits val --weights maskdet-n-public --photos 200 --json defaults.json

``maskdet-n`` has seen every photo: ``--weights`` names what answers in its place. ``mix/heldout.yaml`` lists the open
photos of the sources that this one has left out, as they are and with masks painted on (docs/training.md).
Every photo is looked at in each way in turn, in one thread, so that whatever else runs meets all alike; the time is the
processor's. Photos with masks come first, then others by chance: few are masked among the open photos. F1 is counted at
IoU 0.5 on what is reported, each class on its own; intervals are of 1000 draws of photos.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.labelled_split import Truth, read_split
from maskdet.detector.evaluation.operating_point import ROWS, count_photos
from maskdet.detector.inference.postprocess import Detections
from maskdet.imaging.decode import decode_file
from maskdet.prediction.pipeline import Predictor, choose_predictor
from maskdet.prediction.quality import PRESETS
from maskdet.results import ImageInfo, MaskResult
from maskdet.statistics.figures import draw_photos, figure_of, plain, with_measured
from maskdet.weights import identify

#: What each step adds to the one before it; the last is the default.
STEPS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("as `yolo predict`", {"mode": "detect", "agnostic_nms": False, "conf": 0.25, "close_ups": False}),
    ("one answer a face", {"mode": "detect", "conf": 0.25, "close_ups": False}),
    ("close-ups", {"mode": "detect", "conf": 0.25}),
    ("chained", {"conf": 0.25}),
    ("the model's own thresholds", {}),
)


def main() -> None:
    """Look at the photos in every way, print what each gives, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a data.yaml, or its folder")
    parser.add_argument("--splits", default="train,val")
    parser.add_argument("--weights", help="the detector in place of the default one")
    parser.add_argument("--sources", default="", help="how the photos' names begin, with commas; all by default")
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    pairs = choose_photos(options.data, options.splits.split(","), tuple(options.sources.split(",")), options.photos)
    usual = {"weights": options.weights} if options.weights else {}
    ways = {name: choose_predictor(threads=1, **usual, **settings) for name, settings in STEPS}
    for word, preset in PRESETS.items():
        if word != "standard":
            ways[word] = choose_predictor(quality=word, threads=1, **({} if preset.weights else usual))
    found, seconds = look(ways, [photo for photo, _ in pairs])
    truths = [truth for _, truth in pairs]
    rows = {name: {**figures(truths, found[name]), "cpu_ms": round(seconds[name] * 1000, 1)} for name in ways}
    faces = np.bincount(np.concatenate([truth.class_ids for truth in truths]), minlength=len(CLASS_NAMES)).tolist()
    for name, row in rows.items():
        print(f"{name:<28} {row['cpu_ms']:>7} ms  " + "  ".join(f"{row['f1'][key]['value']:.3f}" for key in ROWS[:4]))
    if options.json:
        more = "" if options.splits == "train,val" else f" --splits {options.splits}"
        more += f" --weights {options.weights}" if options.weights else ""
        more += f" --photos {options.photos}" if options.photos != 100 else ""
        detectors = dict.fromkeys(preset.weights or options.weights for preset in PRESETS.values())
        report = {
            "command": f"python benchmarks/defaults.py {options.data.name}{more}",
            "weights": options.weights or "maskdet-n",
            "models": [*(identify(name) for name in detectors), identify(None, "classify")],
            "photos": len(pairs),
            "faces": dict(zip(CLASS_NAMES, faces, strict=True)),
            "steps": {name: rows[name] for name, _ in STEPS},
            "qualities": {word: rows[STEPS[-1][0] if word == "standard" else word] for word in PRESETS},
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def choose_photos(data: Path, splits: Sequence[str], begins: tuple[str, ...], count: int) -> list[tuple[Path, Truth]]:
    """Return photos with labelled faces, at least half of them, where there are so many, with a mask in them."""
    parts = [read_split(data, split) for split in splits]
    pairs = [pair for part in parts for pair in zip(part.photos, part.truths, strict=True)]
    pairs = [(photo, truth) for photo, truth in pairs if photo.name.startswith(begins) and len(truth.class_ids)]
    random.Random(0).shuffle(pairs)
    masked = [pair for pair in pairs if (pair[1].class_ids != 1).any()]
    bare = [pair for pair in pairs if not (pair[1].class_ids != 1).any()]
    masked = masked[: max(count // 2, count - len(bare))]
    return masked + bare[: count - len(masked)]


def look(ways: dict[str, Predictor], photos: list[Path]) -> tuple[dict[str, list[MaskResult]], dict[str, float]]:
    """Return each way's result of every photo, and its processor seconds a photo, the first photo aside."""
    found: dict[str, list[MaskResult]] = {name: [] for name in ways}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for photo in photos:
        image = decode_file(photo)
        info = ImageInfo(photo.name, image.shape[1], image.shape[0])
        for name, way in ways.items():
            start = time.process_time()
            found[name] += way.predict_batch([image], [info], keep_pixels=False)
            seconds[name].append(time.process_time() - start)
    return found, {name: float(np.mean(each[1:] or each)) for name, each in seconds.items()}


def figures(truths: list[Truth], results: list[MaskResult]) -> dict[str, Any]:
    """Return F1, precision and recall of what was reported, by class and of their mean, with intervals."""
    reported = [
        Detections(
            np.array([face.box for face in result.faces], np.float32).reshape(-1, 4),
            np.array([face.confidence for face in result.faces], np.float32),
            np.array([face.class_id for face in result.faces], np.int64),
        )
        for result in results
    ]
    counts = count_photos(truths, reported, conf=-1.0)
    values = counts.figures(with_measured(draw_photos(len(truths), resamples=1000, seed=0)))
    values["recall"] = values["recall"][:, :, 0]
    return {
        label: {row: plain(figure_of(drawn[:, at])) for at, row in enumerate(ROWS)} for label, drawn in values.items()
    }


if __name__ == "__main__":
    main()
