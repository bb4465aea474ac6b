"""A video from end to end: frames per second beside the bare detector on the same decoded frames, and memory over time.

"bare" is the detector on frames that are ready in memory, one after another, each with all cores; "bare, side by side"
as many at once as there are cores, each with one thread. "predict" is ``maskdet.predict(video, stream=True)``: decoding
and detection. "detect" is what the command does: JSON Lines and an annotated video besides. All run in turn, so that
whatever else the machine does hits all; the ratios are medians of the rounds. Memory is this process's resident size
during one long "detect". Prints the figures and, with ``--json``, writes them::

    python benchmarks/video_throughput.py --json benchmarks/results/video_throughput.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import maskdet
from maskdet.benchmark.measuring.pictures import write_clip
from maskdet.cli.detect_run import ErrorLog, Task
from maskdet.prediction.pipeline import Predictor
from maskdet.prediction.predictors import choose_predictor
from maskdet.results import ImageInfo, MaskResult
from maskdet.sessions.processor import threads_each
from maskdet.sources import Picture, Source, find_files, pictures
from maskdet.writers.outputs import Outputs
from maskdet.writers.targets import Targets

BARE = "bare, side by side"


def decoded(clip: Path, frames: int) -> list[Picture]:
    """Return the first frames, ready in memory."""
    found = pictures(clip)
    return [item for item, _ in zip(found, range(frames), strict=False) if isinstance(item, Picture)]


def bare(detector: maskdet.MaskDetector, ready: list[Picture]) -> float:
    """Return the seconds of the detector alone, as many frames at once as it has workers."""
    start = time.perf_counter()
    with ThreadPoolExecutor(detector.workers) as pool:
        for _ in pool.map(lambda frame: detector.detect_batch([frame.pixels], [frame.info]), ready):
            pass
    return time.perf_counter() - start


def predict(detector: maskdet.MaskDetector, clip: Path) -> float:
    """Return the seconds of ``maskdet.predict`` over the whole file."""
    start = time.perf_counter()
    for _ in maskdet.predict(clip, stream=True, detector=detector):
        pass
    return time.perf_counter() - start


class WatchedDetector:
    """A detector that notes the process's memory after every hundredth frame."""

    def __init__(self, detector: maskdet.MaskDetector) -> None:
        self._detector, self._frames, self._lock = detector, 0, threading.Lock()
        self.imgsz = detector.info.imgsz
        self.megabytes: dict[int, float] = {}

    def __call__(
        self, images: Sequence[npt.NDArray[np.uint8]], infos: Sequence[ImageInfo], *, keep_pixels: bool = True
    ) -> list[MaskResult]:
        results = self._detector.detect_batch(images, infos, keep_pixels=keep_pixels)
        with self._lock:
            self._frames += len(images)
            if self._frames % 100 == 0:
                self.megabytes[self._frames] = resident_megabytes()
        return results


def detect(predictor: Predictor, clip: Path, out: Path) -> float:
    """Return the seconds of what ``maskdet detect --json --save`` does once its model is loaded."""
    sources: list[Source] = list(find_files(clip))
    start = time.perf_counter()
    errors = ErrorLog()
    targets = Targets(json=str(out / "a.jsonl"), pictures=str(out))
    outcome = Task(sources, predictor, Outputs(targets, errors.report), errors).run(quiet=True)
    if outcome.interrupted:
        sys.exit(130)
    return time.perf_counter() - start


def resident_megabytes() -> float:
    """Return what this process holds in memory now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def main() -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--frames", type=int, default=50, help="frames of each timed round")
    parser.add_argument("--memory-frames", type=int, default=1000, help="frames of the long run, 0 for none")
    parser.add_argument("--memory-imgsz", type=int, help="input size of the long run, to shorten it")
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    width, height = options.size

    detector, lanes = maskdet.MaskDetector(), maskdet.MaskDetector(threads=threads_each())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        write_clip(clip, options.frames, (width, height))
        ready = decoded(clip, options.frames)
        out = folder / "out"
        ours = choose_predictor("detect", lanes)
        detect(ours, clip, out)  # once unmeasured: everything is loaded and warm
        rounds = [
            (
                bare(detector, ready),
                bare(lanes, ready),
                predict(lanes, clip),
                detect(ours, clip, out),
            )
            for _ in range(options.runs)
        ]
        del ready
        watched = WatchedDetector(maskdet.MaskDetector(imgsz=options.memory_imgsz, threads=threads_each()))
        if options.memory_frames:
            write_clip(clip, options.memory_frames, (width, height))
            detect(Predictor(watched, lanes.workers), clip, out)

    def speed(index: int) -> float:
        return round(options.frames / statistics.median(seconds[index] for seconds in rounds), 2)

    def ratio(index: int, to: int = 0) -> float:
        return round(statistics.median(seconds[to] / seconds[index] for seconds in rounds), 3)

    memory = watched.megabytes
    report: dict[str, Any] = {
        "command": f"python benchmarks/video_throughput.py --runs {options.runs} --frames {options.frames} "
        f"--memory-frames {options.memory_frames} --memory-imgsz {watched.imgsz} --size {width} {height}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "imgsz": detector.info.imgsz,
        "frames_per_second": {"bare": speed(0), BARE: speed(1), "predict": speed(2), "detect": speed(3)},
        "share_of_bare": {BARE: ratio(1), "predict": ratio(2), "detect": ratio(3)},
        "share_of_bare_side_by_side": {"predict": ratio(2, 1), "detect": ratio(3, 1)},
        "rounds_s": [[round(value, 3) for value in seconds] for seconds in rounds],
        "memory_mb": {str(frame): megabytes for frame, megabytes in memory.items()},
        "memory_change": round(memory[max(memory)] / memory[100] - 1, 4) if len(memory) > 1 else None,
    }
    for label, value in report["frames_per_second"].items():
        share = report["share_of_bare"].get(label)
        print(f"{label:18} {value:7.2f} frames/s" + (f"   {share:.0%} of bare" if share else ""))
    if len(memory) > 1:
        print(f"memory after 100 frames {memory[100]:.0f} MB, after {max(memory)} {memory[max(memory)]:.0f} MB")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
