"""The limit of any tool: the network alone, on inputs that lie ready in memory. A program of its own, for a fair start.

::

    python -m maskdet.benchmark.bare SOURCE --weights FILE --runtime onnx --imgsz 640
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from maskdet.benchmark.detectors import load
from maskdet.detector.inference.letterbox import Letterbox
from maskdet.detector.inference.runtime import Runtime
from maskdet.errors import MaskdetError
from maskdet.imaging.tensor import to_tensor
from maskdet.sessions.devices import PRECISIONS
from maskdet.sessions.processor import runs_at_once, threads_each
from maskdet.sources import Picture, pictures

#: Inputs that lie ready at once, 80 MB at 640 px; making the next ones is not timed.
CHUNK: Final = 16


def tensors(source: Path, runtime: Runtime, imgsz: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the network's input for each picture or frame, (1, 3, h, w) float32, as ``MaskDetector`` makes it."""
    spec = runtime.spec
    for item in pictures(source):
        if not isinstance(item, Picture):
            raise item
        height, width = item.pixels.shape[:2]
        letterbox = Letterbox.fit((height, width), imgsz, spec.stride, auto=spec.dynamic)
        yield to_tensor([letterbox.apply(item.pixels)])


def time_bare(runtime: Runtime, ready: Iterable[npt.NDArray[np.float32]], at_once: int = 1) -> tuple[float, int]:
    """Return the seconds that the network takes for all inputs, ``at_once`` in a thread each, and their number.

    The first input is run once more before, unmeasured.
    """
    seconds, count, waiting = 0.0, 0, iter(ready)
    with ThreadPoolExecutor(at_once) as pool:
        while chunk := list(islice(waiting, CHUNK)):
            if not count:
                runtime(chunk[0])
            start = time.perf_counter()
            for _ in pool.map(runtime, chunk):
                pass
            seconds += time.perf_counter() - start
            count += len(chunk)
    return seconds, count


def main(args: Sequence[str] | None = None) -> None:
    """Measure, and print one JSON object: seconds and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("--imgsz", type=int, required=True)
    parser.add_argument("--precision", default="fp32", choices=PRECISIONS)
    parser.add_argument("--side-by-side", action="store_true", help="several inputs at once, as maskdet detect does")
    options = parser.parse_args(args)
    threads = threads_each() if options.side_by_side else 0
    try:
        runtime = load(options.runtime, options.weights, threads, options.precision)
        seconds, count = time_bare(runtime, tensors(options.source, runtime, options.imgsz), runs_at_once(threads))
    except MaskdetError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(json.dumps({"seconds": seconds, "count": count}) + "\n")


if __name__ == "__main__":
    main()
