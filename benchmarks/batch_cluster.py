"""A Ray cluster on this machine for the benchmarks, what it costs, and small pictures to give it."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = ROOT / "benchmarks" / "results"

TICKS: Final = os.sysconf("SC_CLK_TCK")

#: A cluster of a head and one more node in a process of its own, as in the tests.
CLUSTER: Final = """
import sys
from ray.cluster_utils import Cluster
size = dict(num_cpus=1, object_store_memory=80_000_000, include_dashboard=False)
cluster = Cluster(initialize_head=True, head_node_args=size)
node = cluster.add_node(**size)
print(cluster.address, flush=True)
for word in sys.stdin:
    if word == "lose\\n":
        cluster.remove_node(node, allow_graceful=False)
    else:
        node = cluster.add_node(**size)
    print("done", flush=True)
cluster.shutdown()
"""


def draw(folder: Path, count: int, side: int = 96) -> Path:
    """Draw so many small JPEGs, each a piece of a picture with faces, none like another."""
    folder.mkdir(parents=True, exist_ok=True)
    crew = cv2.resize(cv2.imread(str(ROOT / "examples" / "crew.jpg")), None, fx=0.5, fy=0.5)
    generator = np.random.default_rng(0)
    for number in range(count):
        left, top = generator.integers(crew.shape[1] - side), generator.integers(crew.shape[0] - side)
        data = cv2.imencode(".jpg", crew[top : top + side, left : left + side])[1].tobytes()
        (folder / f"{number:07d}.jpg").write_bytes(data)
    return folder


def command(*words: str | Path | int) -> list[str]:
    return [sys.executable, "-m", "maskdet", *map(str, words)]


def stat_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """Return a process and all below it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents.setdefault(int(stat_of(int(folder.name))[1]), []).append(int(folder.name))
            except OSError:
                continue
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], [])
    return found


def is_worker(pid: int) -> bool:
    """Whether a process is one that does shards."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::")
    except OSError:
        return False


class Meter(threading.Thread):
    """Notes the processor time of processes below one, those that come and go while it runs too."""

    def __init__(self, root: int, *, workers: bool = True) -> None:
        """Look at those that do shards, or at the others."""
        super().__init__(daemon=True)
        self._root, self._workers, self._ended = root, workers, threading.Event()
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._look()
        self._first = dict(self._last)

    def run(self) -> None:
        while not self._ended.wait(0.1):
            self._look()

    def stop(self) -> float:
        """Return the seconds since the beginning."""
        self._ended.set()
        self.join()
        self._look()
        return sum(ticks - self._first.get(pid, 0) for pid, ticks in self._last.items()) / TICKS

    def _look(self) -> None:
        for pid in tree(self._root):
            if is_worker(pid) is not self._workers:
                continue
            with suppress(OSError):
                self._last[pid] = sum(map(int, stat_of(pid)[11:13]))


def idle_share(cluster: int, seconds: float = 10.0) -> float:
    """Return how much of a core the cluster's own processes take while nothing is done."""
    meter = Meter(cluster, workers=False)
    time.sleep(seconds)
    meter.start()
    return meter.stop() / seconds


def cost_of(words: list[str], cluster: int | None = None) -> float:
    """Run a command; return the processor time of it, and of a cluster's workers meanwhile."""
    meter = None if cluster is None else Meter(cluster)
    if meter is not None:
        meter.start()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return own + (0.0 if meter is None else meter.stop())


@contextmanager
def cluster() -> Iterator[tuple[subprocess.Popen[str], str, Callable[[str], None]]]:
    """Start a cluster of two nodes, one core each; yield its process, its address, and what tells it to lose one."""
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_agent_register_timeout_ms": "100000"}
    words = [sys.executable, "-W", "ignore", "-c", CLUSTER]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    for _ in range(6):  # on a busy machine it gives up too early
        process = subprocess.Popen(words, text=True, env=environment, **pipes)
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        if address := stdout.readline().strip():
            break
        process.wait()
    with process:
        assert address, "Ray does not start"

        def tell(word: str) -> None:
            stdin.write(f"{word}\n")
            stdin.flush()
            assert stdout.readline().strip() == "done"

        yield process, address, tell


def write(part: str, told: dict[str, Any], folder: Path = RESULTS) -> None:
    told = {"machine": {"processor": processor(), "cores": os.cpu_count()}, **told}
    (folder / f"batch-{part}.json").write_text(json.dumps(told) + "\n")
    print(json.dumps(told, indent=1), flush=True)


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in text.splitlines() if line.startswith("model name")), "unknown")
