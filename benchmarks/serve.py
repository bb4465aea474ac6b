"""``maskdet serve`` beside the bare model and a usual FastAPI loop: speed, memory, overload, start, rest.

The three are asked in turn, round after round, so that whatever else the machine does meets all of them::

    python benchmarks/serve.py --json benchmarks/results/serve.json              # some ten minutes on two cores
    python benchmarks/serve.py --seconds 2 --rounds 1 --requests 200 --flood 2   # to see that it runs
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

import maskdet
from maskdet.benchmark.report import processor_name
from maskdet.sessions.processor import threads_each, usable_cores

ROOT: Final = Path(__file__).resolve().parent.parent
#: Seconds after which a connection that said nothing may be gone; uvicorn keeps it for five.
KEPT: Final = 3.0

CLIENTS: Final = (1, 8, 32)

#: What people write: a model with all threads, asked in the handler, one picture after the other.
PLAIN: Final = """
import sys

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI, UploadFile

import maskdet

app = FastAPI()
detector = maskdet.MaskDetector()


@app.post("/v1/detect")
async def detect(file: UploadFile):
    data = np.frombuffer(await file.read(), np.uint8)
    return detector.detect(cv2.imdecode(data, cv2.IMREAD_COLOR)).to_dict()


uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
"""

#: Everything that the server imports, and nothing else.
IMPORTS: Final = (
    "import maskdet.cli.serve, maskdet.serve.app, maskdet.serve.process, maskdet.detector.inference.model, cv2, \
onnxruntime, maskdet.classifier.inference.model"
)


class Asker:
    """A client that keeps its connection, as long as servers do."""

    def __init__(self, port: int, form: bool = False, query: str = "") -> None:
        self._port, self._form, self._path = port, form, f"/v1/detect{query}"
        self._last = 0.0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, data: bytes) -> int:
        kind = "image/jpeg"
        if self._form:
            head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
            kind, data = "multipart/form-data; boundary=x", head + data + b"\r\n--x--\r\n"
        if time.perf_counter() - self._last > KEPT:
            self._connection.close()
        try:
            self._connection.request("POST", self._path, data, {"Content-Type": kind})
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        self._last = time.perf_counter()
        return answer.status


def load(ask: Sequence[Callable[[bytes], Any]], photos: Sequence[bytes], seconds: float) -> list[float]:
    """Let each of ``ask`` be called again and again for some time; return the seconds of every call."""
    until = time.perf_counter() + seconds

    def one(number: int) -> list[float]:
        times, at = [], number
        while (start := time.perf_counter()) < until or not times:
            ask[number](photos[at % len(photos)])
            times.append(time.perf_counter() - start)
            at += len(ask)
        return times

    with ThreadPoolExecutor(len(ask)) as pool:
        return [each for times in pool.map(one, range(len(ask))) for each in times]


def bare(photos: Sequence[bytes]) -> Callable[[int], list[Callable[[bytes], Any]]]:
    """Return what calls the model alone, on pictures decoded before: one on all cores, or many side by side."""
    alone, each = maskdet.MaskDetector(), maskdet.MaskDetector(threads=threads_each())
    pixels = {data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in photos}

    def ask(detector: maskdet.MaskDetector) -> Callable[[bytes], Any]:
        return lambda data: detector.detect(pixels[data])

    return lambda clients: [ask(alone)] if clients == 1 else [ask(each)] * min(clients, usable_cores())


@contextmanager
def server(command: Sequence[str], port: int) -> Iterator[int]:
    """Start a server, wait until it answers, and yield its process id."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_ready(port)
            yield process.pid
        finally:
            process.terminate()


def wait_until_ready(port: int) -> None:
    while True:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                connection.request("GET", "/readyz")
                if connection.getresponse().status in {200, 404}:  # the plain loop has no such path
                    return
        except OSError:
            pass
        time.sleep(0.01)


def ours(port: int, *words: str) -> list[str]:
    return [sys.executable, "-m", "maskdet", "serve", "--port", str(port), *words]


def speed(photos: Sequence[bytes], *, rounds: int, seconds: float) -> dict[str, Any]:
    """Return requests a second, p50 and p99 of each at each number of clients."""
    times: dict[str, dict[int, list[list[float]]]] = {}
    with (
        server(ours(8571, "--queue", "64"), 8571),
        server([sys.executable, "-c", PLAIN, "8572"], 8572),
    ):
        asked = {
            "model": bare(photos),
            "serve": lambda clients: [Asker(8571).ask for _ in range(clients)],
            "plain": lambda clients: [Asker(8572, form=True).ask for _ in range(clients)],
        }
        for _ in range(rounds):
            for clients in CLIENTS:
                for name, ask in asked.items():
                    callers = ask(clients)
                    load(callers, photos, min(1.0, seconds / 4))
                    times.setdefault(name, {}).setdefault(clients, []).append(load(callers, photos, seconds))
    return {
        name: {
            str(clients): {
                "a_second": statistics.median(len(each) / seconds for each in found),
                "p50_ms": 1000 * statistics.median(statistics.median(each) for each in found),
                "p99_ms": 1000 * statistics.median(float(np.quantile(each, 0.99)) for each in found),
            }
            for clients, found in by_clients.items()
        }
        for name, by_clients in times.items()
    }


def memory(photos: Sequence[bytes], requests: int) -> dict[str, float]:
    """Return the megabytes after a tenth of the requests and after all, at a small input to be done sooner."""
    with server(ours(8571), 8571) as process:
        askers = [Asker(8571, query="?imgsz=64") for _ in range(4)]

        def send(count: int) -> None:
            with ThreadPoolExecutor(len(askers)) as pool:
                list(
                    pool.map(
                        lambda at: [at[1].ask(photos[n % len(photos)]) for n in range(count // 4)], enumerate(askers)
                    )
                )

        send(requests // 10)
        before = resident(process)
        send(requests - requests // 10)
        return {"requests": requests, "megabytes_early": before / 1e6, "megabytes_late": resident(process) / 1e6}


def resident(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * 4096


def overload(photos: Sequence[bytes], *, clients: int, seconds: float) -> dict[str, Any]:
    """Return the answers by code when far too many ask, what was lost, and the slowest."""
    codes: Counter[str] = Counter()
    with server(ours(8571), 8571):
        askers = [Asker(8571) for _ in range(clients)]

        def ask(number: int) -> Callable[[bytes], None]:
            def one(data: bytes) -> None:
                try:
                    codes[str(askers[number].ask(data))] += 1
                except (OSError, http.client.HTTPException):
                    codes["lost"] += 1

            return one

        times = load([ask(number) for number in range(clients)], photos, seconds)
    return {"clients": clients, "seconds": seconds, "codes": dict(sorted(codes.items())), "slowest_s": max(times)}


def start(repeats: int) -> dict[str, float]:
    """Return the seconds from the command to ``/readyz``, and those of the imports alone."""

    def imports() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORTS], check=True)
        return time.perf_counter() - begin

    def whole() -> float:
        begin = time.perf_counter()
        with server(ours(8571), 8571):
            return time.perf_counter() - begin

    pairs = [(imports(), whole()) for _ in range(repeats)]
    return {"imports_s": statistics.median(a for a, _ in pairs), "ready_s": statistics.median(b for _, b in pairs)}


def rest(seconds: float) -> dict[str, float]:
    """Return the share of one core that a server uses that nobody asks."""

    def used(process: int) -> float:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    with server(ours(8571), 8571) as process:
        time.sleep(1)
        before = used(process)
        time.sleep(seconds)
        return {"seconds": seconds, "share": (used(process) - before) / seconds}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=ROOT / "examples", help="a folder of JPEGs and PNGs")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement of speed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=10_000, help="after which memory is looked at")
    parser.add_argument("--flood", type=float, default=30.0, metavar="SECONDS", help="of overload, by 200 clients")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = sorted(path for path in options.photos.iterdir() if path.suffix in {".jpg", ".png"})[:64]
    photos = [path.read_bytes() for path in files]
    words = [word for word in sys.argv[1:] if not word.startswith("--json") and Path(word) != options.json]
    report: dict[str, Any] = {
        "command": shlex.join(["python", "benchmarks/serve.py", *words]),
        "machine": {"processor": processor_name(), "cores": usable_cores()},
    }
    if options.photos != ROOT / "examples":
        report["command"] = report["command"].replace(str(options.photos), "images")
    report["photos"] = len(photos)
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "start": lambda: start(2 * options.rounds - 1),
        "rest": lambda: rest(10.0 if options.rounds > 1 else 1.0),
        "speed": lambda: speed(photos, rounds=options.rounds, seconds=options.seconds),
        "overload": lambda: overload(photos, clients=200, seconds=options.flood),
        "memory": lambda: memory(photos, options.requests),
    }
    for name, step in steps.items():
        report[name] = step()
        print(name, json.dumps(report[name]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
