"""Kill `maskdet batch` at random points: in the end its results are those of a run that nothing happened to."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from batch_cluster import RESULTS, cluster, command, draw, is_worker, tree, write

#: What is killed, and how the page calls it.
PICTURES: Final = 192
SHARDS: Final = 32

KINDS: Final = {
    "local driver": "the process, without Ray",
    "worker": "a worker",
    "node": "a machine of two",
    "driver": "the driver",
}


def kill(points: int, kinds: list[str], work: Path) -> dict[str, Any]:
    """Kill at random points of runs of 32 shards; what other kinds have shown before is kept."""
    file = RESULTS / "batch-kill.json"
    told: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    pictures = draw(work / "pictures", PICTURES)
    base = ["batch", pictures, "--imgsz", 64, "--shard-size", PICTURES // SHARDS, "--quiet"]
    subprocess.run(command(*base, "--out", work / "whole"), check=True)
    whole = everything(work / "whole")
    with ExitStack() as stack:
        nodes, address, tell = None, "", print
        if set(kinds) - {"local driver"}:
            nodes, address, tell = stack.enter_context(cluster())
        for kind in kinds:
            engine = [] if kind == "local driver" else ["--engine", "ray", "--ray-address", address]
            generator = random.Random(kind)
            equal, done_when_killed = 0, []
            for point in range(points):
                out = work / f"{kind}-{point}"
                process = subprocess.Popen(command(*base, "--out", out, *engine))
                wanted = generator.randrange(SHARDS)
                while process.poll() is None and len(list(out.glob("pictures/part-*"))) < wanted:
                    time.sleep(0.002)
                time.sleep(generator.random() * 0.05)
                done_when_killed.append(len(list(out.glob("pictures/part-*"))))
                if kind.endswith("driver"):
                    process.kill()
                elif kind == "worker" and (workers := [pid for pid in tree(nodes.pid) if is_worker(pid)]):
                    os.kill(generator.choice(workers), signal.SIGKILL)
                elif kind == "node":
                    tell("lose")
                if process.wait() != 0:
                    subprocess.run(command(*base, "--out", out, *engine, "--resume"), check=True)
                if kind == "node":
                    tell("join")
                equal += everything(out) == whole
                shutil.rmtree(out)
                print(kind, point, done_when_killed[-1], equal, flush=True)
            told[kind] = {"equal": equal, "shards_done_when_killed": done_when_killed}
            write("kill", told)
    return told


def everything(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
