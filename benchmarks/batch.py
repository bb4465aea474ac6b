"""`maskdet batch`: is its time linear and its memory flat, what does it cost beside `maskdet detect`, does it survive?

::

    python benchmarks/batch.py linear --pictures 100000
    python benchmarks/batch.py overhead --photos FACE_MASK_DETECTION/images
    python benchmarks/batch.py kill --points 20
    python benchmarks/batch.py tasks
    python benchmarks/batch.py report          # what was measured, into docs/batch/index.md

Each part writes benchmarks/results/batch-PART.json. Costs are processor time, which other work on the machine
changes little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from batch_cluster import RESULTS, cluster, command, cost_of, draw, idle_share, write
from batch_kill import KINDS, kill
from batch_report import report

#: `maskdet batch`; whenever a shard is done, its processor seconds and its memory in MB, without pages of files, are
#: written: from within, so that none is missed however fast they follow.
WATCHED: Final = """
import sys, time
from pathlib import Path
from maskdet.batch.shard import ShardWorker
from maskdet.cli import main

run, marks = ShardWorker.run, Path(sys.argv.pop(1)).open("w", buffering=1)

def watched(worker, shard, **options):
    report = run(worker, shard, **options)
    seconds = time.process_time()
    kilobytes = Path("/proc/self/status").read_text().partition("RssAnon:")[2].split()[0]
    print(seconds, int(kilobytes) / 1024, file=marks)
    return report

ShardWorker.run = watched
main()
"""


def linear(pictures: int, shard_size: int, work: Path) -> dict[str, Any]:
    """Run over very many small pictures; note processor time and memory whenever a shard is done."""
    folder, out, noted = draw(work / "pictures", pictures), work / "run", work / "marks"
    shards = -(-pictures // shard_size)
    if shards < 2:
        raise SystemExit(f"linear compares shards, and {pictures} pictures by {shard_size} are one: --shard-size")
    begun = time.perf_counter()
    words = ("batch", folder, "--out", out, "--imgsz", 64, "--shard-size", shard_size, "--quiet")
    subprocess.run([sys.executable, "-c", WATCHED, str(noted), *map(str, words)], check=True)
    spent = time.perf_counter() - begun
    seconds, memory = np.loadtxt(noted, ndmin=2).T
    assert len(seconds) == shards
    tenth = max(shards // 10, 1)
    done = np.minimum(shard_size * np.arange(1, shards + 1), pictures)
    costs = 1000 * np.diff(seconds) / np.diff(done)  # without the first shard, which pays what is paid once
    return {
        "pictures": pictures,
        "shard_size": shard_size,
        "seconds": spent,
        "first_tenth_ms": costs[:tenth].mean(),
        "last_tenth_ms": costs[-tenth:].mean(),
        "memory_mb_after_first_tenth": memory[tenth],
        "memory_mb_highest_after": memory[tenth:].max(),
        "memory_mb_end": memory[-1],
        "manifest_bytes_a_picture": (out / "manifest.parquet").stat().st_size / pictures,
        "parts_bytes_a_picture": sum(path.stat().st_size for path in out.glob("*/part-*")) / pictures,
    }


def overhead(photos: Path, count: int, rounds: int, engines: list[str], work: Path) -> dict[str, Any]:
    """Compare what a picture more costs: the difference between a run on all photos and one on a quarter of them."""
    files = sorted(path for path in photos.iterdir() if path.suffix in {".png", ".jpg"})[:count]
    folders = {}
    for name, some in (("few", files[: count // 4]), ("many", files)):
        folders[name] = work / name
        folders[name].mkdir()
        for path in some:
            (folders[name] / path.name).symlink_to(path.absolute())
    costs: dict[str, dict[str, list[float]]] = {}
    shard = ["--quiet", "--shard-size", max(count // 8, 1)]  # both runs on two workers
    with ExitStack() as stack:
        nodes, address = None, ""
        if "ray" in engines:
            nodes, address, _ = stack.enter_context(cluster())
        idle = None if nodes is None else idle_share(nodes.pid)
        for turn in range(rounds):
            for engine in engines:
                for name, folder in folders.items():
                    out = work / f"{engine}-{name}-{turn}"
                    words = {
                        "detect": ["detect", folder, "--json", out, "--no-save", "--quiet"],
                        "local": ["batch", folder, "--out", out, *shard],
                        "ray": ["batch", folder, "--out", out, *shard, "--engine", "ray", "--ray-address", address],
                    }[engine]
                    cost = cost_of(command(*words), nodes.pid if engine == "ray" and nodes else None)
                    costs.setdefault(engine, {}).setdefault(name, []).append(cost)
                    print(engine, name, f"{cost:.2f} s", flush=True)
    more = len(files) - count // 4
    a_picture = {
        engine: 1000 * (statistics.median(told["many"]) - statistics.median(told["few"])) / more
        for engine, told in costs.items()
    }
    return {"photos": len(files), "rounds": rounds, "seconds": costs, "ms_a_picture": a_picture, "ray_idle_cores": idle}


def tasks(calls: int, work: Path) -> dict[str, Any]:
    """Measure what a task costs that does nothing: on an actor of our engine's kind, and in Ray Data."""
    script = f"""
import json, time, ray
began = time.perf_counter()
quiet = dict(include_dashboard=False, log_to_driver=False, logging_level="error")
ray.init(num_cpus=2, object_store_memory=100_000_000, **quiet)
told = {{"ray_start_s": time.perf_counter() - began}}
@ray.remote(num_cpus=1)
class Actor:
    def run(self, job): return job
began = time.perf_counter()
actor = Actor.remote(); ray.get(actor.run.remote((0, False)))
told["actor_start_s"] = time.perf_counter() - began
began = time.perf_counter(); cpu = time.process_time()
for number in range({calls}): ray.get(actor.run.remote((number, False)))
told["actor_call_ms"] = 1000 * (time.perf_counter() - began) / {calls}
told["driver_cpu_a_call_ms"] = 1000 * (time.process_time() - cpu) / {calls}
ray.kill(actor)
import logging, ray.data
logging.disable(logging.CRITICAL)
ray.data.DataContext.get_current().enable_progress_bars = False
class Same:
    def __call__(self, batch): return batch
def run(count):
    strategy = ray.data.ActorPoolStrategy(min_size=1, max_size=1)
    data = ray.data.from_items([{{"shard": number}} for number in range(count)], override_num_blocks=count)
    began = time.perf_counter()
    assert len(list(data.map_batches(Same, batch_size=1, compute=strategy, num_cpus=1).iter_rows())) == count
    return time.perf_counter() - began
cold, few, many = run(10), run(10), run({calls} // 4 + 10)
told["ray_data_task_ms"] = 1000 * (many - few) / ({calls} // 4)
told["ray_data_start_s"] = cold
print(json.dumps(told))
"""
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_agent_register_timeout_ms": "100000"}
    words = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(
        words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    told = json.loads(done.stdout.splitlines()[-1])
    folder = draw(work / "pictures", 2000)
    from maskdet.batch.listing import list_files

    began = time.process_time()
    assert sum(1 for _ in list_files([str(folder)], lambda *_: None)) == 2000
    seconds = time.process_time() - began
    tracemalloc.start()
    assert sum(1 for _ in list_files([str(folder)], lambda *_: None)) == 2000
    listing = {
        "listing_us_a_file": 1e6 * seconds / 2000,
        "listing_bytes_a_file": tracemalloc.get_traced_memory()[1] / 2000,
    }
    return {"calls": calls, **told, **listing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=["linear", "overhead", "kill", "tasks", "report"])
    parser.add_argument("--results", type=Path, default=RESULTS, help="where what is measured goes")
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--shard-size", type=int, default=500)
    parser.add_argument("--photos", type=Path, help="folder of real photos, of overhead")
    parser.add_argument("--count", type=int, default=200, help="of these photos")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", default="detect,local,ray")
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--calls", type=int, default=1000)
    given = parser.parse_args()
    if given.part == "report":
        report()
        return
    with tempfile.TemporaryDirectory(prefix="maskdet-bench-") as folder:
        work = Path(folder)
        told = {
            "linear": lambda: linear(given.pictures, given.shard_size, work),
            "overhead": lambda: overhead(given.photos, given.count, given.rounds, given.engines.split(","), work),
            "kill": lambda: kill(given.points, given.kinds.split(","), work),
            "tasks": lambda: tasks(given.calls, work),
        }[given.part]()
    write(given.part, told, given.results)


if __name__ == "__main__":
    main()
