"""Whatever the environment says, libraries load, and use as many threads as a container may."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskdet.cli.start_up import settle
from maskdet.imaging.limits import limit_opencv, max_pixels

QUIET = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}
THREADS = ("OPENCV_FOR_THREADS_NUM", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        ("OPENCV_IO_MAX_IMAGE_PIXELS", "1000000", True),
        ("OPENCV_IO_MAX_IMAGE_PIXELS", "200MB", True),
        ("OPENCV_IO_MAX_IMAGE_PIXELS", "many", False),
        ("OPENCV_IO_MAX_IMAGE_WIDTH", "1e6", False),
        ("OPENCV_FOR_THREADS_NUM", "", False),
        ("OPENCV_FOR_THREADS_NUM", "-1", False),
        ("OPENCV_FFMPEG_READ_ATTEMPTS", "9" * 30, False),
        ("OPENCV_VIDEOIO_PRIORITY_LIST", "FFMPEG,V4L2", True),
        ("OPENCV_VIDEOIO_PRIORITY_FFMPEG", "first", False),
        ("OPENCV_TRACE", "on", False),
        ("OPENCV_VIDEOIO_DEBUG", "TRUE", True),
        ("OPENCV_OPENCL_DEVICE", ":GPU:0", True),
        ("OPENCV_OPENCL_CACHE_ENABLE", "2", False),
        ("OPENCV_LOG_LEVEL", "nonsense", True),  # which OpenCV passes over
        ("OMP_NUM_THREADS", "4,2", True),
        ("OMP_NUM_THREADS", "0", False),
        ("OMP_NUM_THREADS", "many", False),
        ("OTHER_TRACE", "on", True),
    ],
)
def test_what_no_library_can_read_is_dropped(name: str, value: str, stays: bool) -> None:
    environment = {name: value}
    settle(environment, cores=2, machine=2)
    assert environment.get(name) == (value if stays else None)


def test_threads_follow_the_quota() -> None:
    environment = {"OMP_NUM_THREADS": "7", "OPENCV_FOR_THREADS_NUM": "x"}
    settle(environment, cores=3, machine=64)
    assert [environment[name] for name in THREADS] == ["3", "3", "7"]
    environment = {}
    settle(environment, cores=64, machine=64)
    assert not set(THREADS) & set(environment)


@pytest.mark.parametrize("backend", ["nonsense", "", "module://nowhere", "qtagg"])
def test_plots_need_no_window(backend: str) -> None:
    environment = {"MPLBACKEND": backend}
    settle(environment, cores=2, machine=2)
    assert environment == {"MPLBACKEND": "agg"} | QUIET


@pytest.mark.parametrize("value", [None, "", "many", "-5"])
def test_opencv_is_told_our_limit_where_there_is_none(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", value or "")  # so that what is set below goes with the test
    if value is None:
        monkeypatch.delenv("OPENCV_IO_MAX_IMAGE_PIXELS")
    limit_opencv()
    assert os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] == str(max_pixels())


@pytest.mark.parametrize(
    ("asked", "megapixels"),
    [("300", 300), ("0", 120), ("-1", 120), ("1001", 120), ("lots", 120), ("9" * 5000, 120), ("³", 120)],
    ids=lambda value: str(value)[:5],
)
def test_nonsense_moves_no_limit(asked: str, megapixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKDET_MAX_MEGAPIXELS", asked)
    assert max_pixels() == megapixels * 1_000_000


def test_nonsense_everywhere(astronaut: Path, tmp_path: Path) -> None:
    names = [
        *THREADS,
        *("OPENCV_IO_MAX_IMAGE_PIXELS", "OPENCV_IO_MAX_IMAGE_WIDTH", "OPENCV_TRACE", "OPENCV_DUMP_ERRORS"),
        *("OPENCV_ENABLE_MEMALIGN", "OPENCV_THREAD_POOL_ACTIVE_WAIT_MAIN", "OPENCV_LOG_LEVEL", "MKL_NUM_THREADS"),
        *("MASKDET_MAX_MEGAPIXELS", "COLUMNS", "LINES", "TERM", "LC_ALL", "ORT_DISABLE_TELEMETRY", "TMPDIR", "HOME"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "maskdet", "detect", astronaut, "--no-save"],
        env={**os.environ, **dict.fromkeys(names, "nonsense")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 face" in done.stdout
    assert list(tmp_path.iterdir()) == []
