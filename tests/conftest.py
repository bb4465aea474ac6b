"""Fixtures shared by all tests: the real data where it is, and small generated things everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings

# Importing an oracle inside a property test takes seconds, once; and every run should try the same examples.
settings.register_profile("maskdet", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("maskdet")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the public data set, or skip."""
    folder = os.environ.get("MASKDET_DATA")
    if not folder:
        pytest.skip("MASKDET_DATA does not name the data set")
    return Path(folder)


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """Return the shippable example picture: one face without a mask."""
    return ROOT / "examples" / "astronaut.jpg"


@pytest.fixture
def write_png(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a plain picture and gives its path."""

    def write(name: str = "plain.png", size: tuple[int, int] = (48, 64), value: int = 128) -> Path:
        image: npt.NDArray[np.uint8] = np.full((*size, 3), value, np.uint8)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
        return path

    return write


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a video of plain grey frames, frame n of brightness 10 n, and gives its path."""

    def write(name: str = "clip.avi", frames: int = 6, size: tuple[int, int] = (48, 64), fps: float = 10) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        codec = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, (size[1], size[0]))
        assert writer.isOpened()
        for number in range(frames):
            writer.write(np.full((*size, 3), number * 10, np.uint8))
        writer.release()
        return path

    return write
