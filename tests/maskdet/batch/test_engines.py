"""A run in a process that is killed at any point goes on to what an unbroken one gives."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from maskdet.batch import engines

FilesOf = Callable[[Path], dict[str, bytes]]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, draw_photos: Callable[[Path, int], Path]) -> Path:
    """Return a folder of pictures."""
    return draw_photos(tmp_path_factory.mktemp("local") / "photos", 120)  # enough to be killed in time


def command(pictures: Path, out: Path, *words: str) -> list[str]:
    given = [str(pictures), "--out", str(out), "--imgsz", "192", "--shard-size", "2", *words]
    return [sys.executable, "-m", "maskdet", "batch", *given]


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory, files_of: FilesOf) -> dict[str, bytes]:
    """Return what a run leaves that nothing happened to."""
    out = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run(command(pictures, out), check=True, capture_output=True)
    return files_of(out)


@pytest.mark.parametrize(
    ("sign", "seed"), [(signal.SIGKILL, 1), (signal.SIGKILL, 2), (signal.SIGKILL, 3), (signal.SIGTERM, 4)]
)
def test_a_process_that_is_killed_goes_on(
    pictures: Path, whole: dict[str, bytes], tmp_path: Path, files_of: FilesOf, sign: signal.Signals, seed: int
) -> None:
    out, draw = tmp_path / "run", random.Random(seed)
    with subprocess.Popen(command(pictures, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wanted = draw.randrange(12)
        while len(list(out.glob("*/part-*"))) < wanted:
            assert process.poll() is None
            time.sleep(0.001)
        time.sleep(draw.random() * 0.02)
        process.send_signal(sign)
        _, told = process.communicate(timeout=60)
    assert process.returncode == (130 if sign == signal.SIGTERM else -sign), told
    assert not (out / "_SUCCESS").exists()
    for part in out.glob("*/part-*"):
        assert part.read_bytes() == whole[part.relative_to(out).as_posix()], "what has its name is whole"
    subprocess.run(command(pictures, out, "--resume"), check=True, capture_output=True)
    assert files_of(out) == whole


def test_workers_of_ray_import_nothing_from_where_the_driver_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ray puts the folder of the driver before all others; in a clone of the repository stands one of our name.
    stood: list[Path] = []
    ray = SimpleNamespace(is_initialized=lambda: False, init=lambda **_options: stood.append(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    assert engines._connect(ray, engines.RayOptions())
    assert stood == [Path(tmp_path.anchor)]
    assert Path.cwd() == tmp_path.resolve()
