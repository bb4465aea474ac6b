"""Files by what they hold, pipes and devices, frames that are too large."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import maskdet
from maskdet.datasets.photos.picture_file import look_at
from maskdet.errors import SourceError
from maskdet.sources import Picture, file_content, is_single, pictures

needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="pipes have no paths there")


def error_of(source: Any) -> str:
    (error,) = pictures(source)
    assert isinstance(error, SourceError), error
    return error.reason


def frames_of(source: Any) -> list[int | None]:
    return [item.info.frame for item in pictures(source) if isinstance(item, Picture)]


def test_a_wrong_or_no_ending_does_not_matter(
    tmp_path: Path, write_png: Callable[..., Path], write_video: Callable[..., Path]
) -> None:
    photo = write_png().rename(tmp_path / "photo.mp4")
    assert frames_of(photo) == [None]
    assert is_single(photo)
    assert isinstance(maskdet.predict(photo, imgsz=32), maskdet.MaskResult)
    for name in ("clip.jpg", "clip", "clip.txt.bak"):
        clip = write_video("clip.avi", frames=3).rename(tmp_path / name)
        assert frames_of(clip) == [0, 1, 2]
        assert len(maskdet.predict(clip, imgsz=32)) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["list.mp4", "list.jpg", "list"])
@pytest.mark.parametrize("start", ["ffconcat version 1.0\nfile {}\n", "#EXTM3U\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"])
def test_a_text_that_names_another_file_is_no_video(
    tmp_path: Path, write_video: Callable[..., Path], name: str, start: str
) -> None:
    other = write_video("other.mp4")
    (tmp_path / name).write_text(start.format(other.name))
    what = "video" if name.endswith("mp4") else "picture"
    kind = "a list of files for FFmpeg" if start.startswith("ff") else "a playlist"
    assert error_of(tmp_path / name) == f"not a {what} that can be read, but {kind}"


@pytest.mark.parametrize("name", ["cam.mjpeg", "cam.MJPG", "cam.jpg", "cam"])
def test_a_recording_without_a_container(tmp_path: Path, name: str) -> None:
    frames = [cv2.imencode(".jpg", np.full((48, 64, 3), 20 * number, np.uint8))[1].tobytes() for number in range(6)]
    (tmp_path / name).write_bytes(b"".join(frames))
    found = [item for item in pictures(tmp_path / name) if isinstance(item, Picture)]
    assert [item.info.frame for item in found] == [0, 1, 2, 3, 4, 5]
    assert [round(float(item.pixels.mean()) / 20) for item in found] == [0, 1, 2, 3, 4, 5]
    assert found[0].clip is not None


@needs_pipes
def test_pipes_and_devices_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_content, "_WRITER_SECONDS", 0.05)
    monkeypatch.setattr(file_content, "_SILENT_SECONDS", 0.05)
    pipe, zero = tmp_path / "pipe.jpg", tmp_path / "zero.jpg"
    os.mkfifo(pipe)
    zero.symlink_to("/dev/zero")
    assert error_of(pipe) == "not a file, but a pipe that nobody writes to"
    assert error_of(zero) == "not a file, but a device"
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # whose names may be long, while that of a socket may not
        server.bind("socket.jpg")
        assert error_of(Path("socket.jpg")) == "not a file, but a socket"
    for path, what in ((pipe, "a pipe"), (zero, "a device")):
        with pytest.raises(SourceError, match=f"not a file, but {what}"):
            look_at(path)
    silent = os.open(pipe, os.O_RDWR)
    assert "nothing came for" in error_of(pipe)
    os.close(silent)


@needs_pipes
@pytest.mark.parametrize("size", [None, 100])
def test_a_pipe_that_somebody_writes_to_is_read(
    tmp_path: Path, write_png: Callable[..., Path], size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_png().read_bytes()
    monkeypatch.setattr(file_content, "MAX_ENCODED_BYTES", size or 2**20)
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)

    def write() -> None:
        try:
            with pipe.open("wb") as file:
                file.write(data)
        except BrokenPipeError:  # the reader had enough
            pass

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    if size is None:
        assert frames_of(pipe) == [None]
    else:
        assert "more than 0 MB" in error_of(pipe)
    writer.join(5)
    assert not writer.is_alive()


def test_frames_that_are_too_large_are_not_decoded(
    captures: Callable[..., None], fake_capture: Any, write_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = fake_capture(frames=4)
    monkeypatch.setattr(maskdet.sources.video, "MAX_FRAME_PIXELS", 20)
    path = write_video()
    captures(capture)
    assert error_of(path).startswith("frames of 6×4 pixels are more than")
    assert capture.grabbed == 0
    assert capture.released.is_set()
