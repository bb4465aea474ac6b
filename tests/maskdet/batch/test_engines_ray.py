"""Shards on a Ray cluster of two nodes, of which one, a worker and the driver are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'maskdet[batch]'")

FilesOf = Callable[[Path], dict[str, bytes]]

#: The cluster in a process of its own: one line when it stands, and one for each word it is told.
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

PICTURES: Final = 48
SHARDS: Final = 16


class TwoNodes:
    """A cluster of a head and a second node, one core each."""

    def __init__(self) -> None:
        environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_agent_register_timeout_ms": "100000"}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", CLUSTER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.address = self._line()

    def tell(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._line() == "done"

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the cluster does not stand"
        return line

    def workers(self) -> list[int]:
        """Return the ids of the processes that do shards."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(b"ray::ShardActor"):
                    found.append(int(folder.name))
            except OSError:  # it has ended
                continue
        return [pid for pid in found if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        while pid > 1:
            if pid == self._process.pid:
                return True
            try:
                pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                return False
        return False

    def close(self) -> None:
        with self._process:  # closes its pipes, and waits
            pass


@pytest.fixture(scope="module")
def cluster() -> Iterator[TwoNodes]:
    """Return a cluster of two nodes."""
    cluster = TwoNodes()
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, draw_photos: Callable[[Path, int], Path]) -> Path:
    """Return a folder of pictures, one of them broken."""
    folder = draw_photos(tmp_path_factory.mktemp("ray") / "photos", PICTURES)
    (folder / "07.png").write_bytes(b"no picture")
    return folder


def command(pictures: Path, out: Path, *words: str) -> list[str]:
    size = ["--imgsz", "192", "--shard-size", str(PICTURES // SHARDS), "--max-errors", "1"]
    return [sys.executable, "-m", "maskdet", "batch", str(pictures), "--out", str(out), *size, *words]


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory, files_of: FilesOf) -> dict[str, bytes]:
    """Return what a run leaves that nothing happened to, on this machine without Ray."""
    out = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run(command(pictures, out), check=True, capture_output=True)
    return files_of(out)


def run_until(process: subprocess.Popen[str], out: Path, parts: int) -> None:
    """Wait until so many shards are done."""
    while len(list(out.glob("pictures/part-*"))) < parts:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.005)


def without_progress(told: str) -> list[str]:
    """Return the lines but for those that say, every half minute, how far a run is."""
    return [line for line in told.splitlines() if not line.startswith("batch: ")]


def start(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_rows_are_those_without_ray(
    cluster: TwoNodes, pictures: Path, whole: dict[str, bytes], tmp_path: Path, files_of: FilesOf
) -> None:
    done = subprocess.run(
        command(pictures, tmp_path / "run", "--engine", "ray", "--ray-address", cluster.address),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert without_progress(done.stderr) == [f"error: {pictures}/07.png: not a picture that can be read, but a text"]
    assert files_of(tmp_path / "run") == whole
    assert json.loads(whole["summary.json"])["pictures"] == PICTURES - 1


@pytest.mark.parametrize("seed", [1, 2])
def test_a_worker_is_killed(
    cluster: TwoNodes, pictures: Path, whole: dict[str, bytes], tmp_path: Path, files_of: FilesOf, seed: int
) -> None:
    out = tmp_path / "run"
    process = start(command(pictures, out, "--engine", "ray", "--ray-address", cluster.address))
    run_until(process, out, random.Random(seed).randint(1, SHARDS // 2))
    victim = random.Random(seed).choice(cluster.workers())
    os.kill(victim, signal.SIGKILL)
    shown, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    # Of Ray's own messages nothing is seen; killed between two shards it had none in hand.
    assert [line.split(";")[0] for line in without_progress(told)] in (
        [f"error: {pictures}/07.png: not a picture that can be read, but a text", "note: a worker was lost"],
        ["note: a worker was lost", f"error: {pictures}/07.png: not a picture that can be read, but a text"],
        [f"error: {pictures}/07.png: not a picture that can be read, but a text"],
    )
    assert len(shown.splitlines()) == 1
    assert files_of(out) == whole


def test_a_node_is_lost(
    cluster: TwoNodes, pictures: Path, whole: dict[str, bytes], tmp_path: Path, files_of: FilesOf
) -> None:
    out = tmp_path / "run"
    process = start(command(pictures, out, "--engine", "ray", "--ray-address", cluster.address))
    run_until(process, out, random.Random(3).randint(1, SHARDS // 2))
    cluster.tell("lose")
    _, told = process.communicate(timeout=120)
    cluster.tell("join")
    assert process.returncode == 0, told
    assert files_of(out) == whole


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_the_driver_is_killed_and_resumed_on_ray_or_without(
    cluster: TwoNodes, pictures: Path, whole: dict[str, bytes], tmp_path: Path, files_of: FilesOf, sign: signal.Signals
) -> None:
    out = tmp_path / "run"
    ray = ["--engine", "ray", "--ray-address", cluster.address]
    process = start(command(pictures, out, *ray))
    run_until(process, out, random.Random(int(sign)).randint(1, SHARDS // 2))
    process.send_signal(sign)
    _, told = process.communicate(timeout=60)
    assert process.returncode == (-sign if sign == signal.SIGKILL else 130), told
    assert not (out / "_SUCCESS").exists()
    before = {name: stamp(out / name) for name in files_of(out) if name.startswith("pictures/part")}
    again = subprocess.run(
        command(pictures, out, "--resume", *(ray if sign == signal.SIGKILL else [])),
        check=False,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
    assert "of 16 shards are done already" in again.stderr
    assert files_of(out) == whole
    assert {name: stamp(out / name) for name in before} == before, "what is done is not done again"


def stamp(path: Path) -> int:
    return path.stat().st_mtime_ns


def test_a_cluster_that_is_not_there(pictures: Path, tmp_path: Path) -> None:
    words = command(pictures, tmp_path / "run", "--engine", "ray", "--ray-address", "127.0.0.1:1")
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --engine ray: no cluster at 127.0.0.1:1 (")
    assert len(done.stderr.splitlines()) == 1


def test_ray_reports_nothing_to_its_makers() -> None:
    script = "import maskdet; from ray._common.usage import usage_lib; print(usage_lib.usage_stats_enabled())"
    environment = {name: value for name, value in os.environ.items() if name != "RAY_USAGE_STATS_ENABLED"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout == "False\n"
