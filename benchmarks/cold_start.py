"""One photo from a cold start: ``maskdet detect`` beside ``yolo predict``, same weights, same photo, in turn.

Wall time and peak memory of the whole process, Python included. Prints a table and, with ``--json``, the raw figures::

    python benchmarks/cold_start.py --runs 5 --json benchmarks/results/cold_start.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from maskdet.benchmark.process import measure
from maskdet.errors import MaskdetError

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "examples" / "astronaut.jpg"


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a command and return (wall seconds, peak resident MB of it and its children)."""
    try:
        usage = measure(command, folder)
    except MaskdetError as error:
        sys.exit(str(error))
    if usage.peak_mb is None:
        sys.exit("this system does not say how much memory a process used")
    return usage.wall_s, usage.peak_mb


def main() -> None:
    """Alternate the two commands, so that whatever else the machine does hits both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    from maskdet.weights import default_model

    model = default_model()
    tools = Path(sys.executable).parent
    imgsz = str(model.card["imgsz"])
    commands = {
        "maskdet detect": [str(tools / "maskdet"), "detect", str(PHOTO), "--save", "out"],
        "yolo predict": [
            *(str(tools / "yolo"), "detect", "predict", f"model={model.path}", f"source={PHOTO}", f"imgsz={imgsz}"),
            *("device=cpu", "project=runs", "exist_ok=True"),
        ],
    }
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for command in commands.values():  # once unmeasured: byte code and disk cache are warm for both
            run(command, folder)
        for _ in range(options.runs):
            for tool, command in commands.items():
                samples[tool].append(run(command, folder))

    medians = {
        tool: {
            "seconds": round(statistics.median(s for s, _ in runs), 3),
            "peak_mb": round(statistics.median(m for _, m in runs), 1),
        }
        for tool, runs in samples.items()
    }
    ours, theirs = medians["maskdet detect"], medians["yolo predict"]
    report: dict[str, Any] = {
        "command": f"python benchmarks/cold_start.py --runs {options.runs}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "medians": medians,
        "times_faster": round(theirs["seconds"] / ours["seconds"], 2),
        "memory_ratio": round(ours["peak_mb"] / theirs["peak_mb"], 3),
    }
    for tool, figures in medians.items():
        print(f"{tool:16} {figures['seconds']:6.2f} s   {figures['peak_mb']:7.0f} MB")
    print(f"wall time 1/{report['times_faster']:.1f}, peak memory 1/{1 / report['memory_ratio']:.1f}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
