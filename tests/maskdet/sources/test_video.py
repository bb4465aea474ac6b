from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskdet.errors import SourceError
from maskdet.sources import Picture, find_files, pictures

WriteVideo = Callable[..., Path]


def frames_of(source: Any, **options: Any) -> list[Picture]:
    found = list(pictures(source, **options))
    assert all(isinstance(item, Picture) for item in found), found
    return [item for item in found if isinstance(item, Picture)]


def brightness(picture: Picture) -> int:
    return round(float(picture.pixels.mean()))


def test_every_frame_in_order(write_video: WriteVideo) -> None:
    path = write_video(frames=6, fps=10)
    frames = frames_of(path)
    assert [frame.info.frame for frame in frames] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose([brightness(frame) for frame in frames], [0, 10, 20, 30, 40, 50], atol=2)
    assert {(frame.info.path, frame.info.width, frame.info.height) for frame in frames} == {(str(path), 64, 48)}
    (clip,) = {frame.clip for frame in frames}
    assert clip is not None
    assert (clip.fps, clip.frames, clip.live, clip.relative) == (10, 6, False, Path("clip.avi"))


def test_stride_takes_the_first_and_every_third(write_video: WriteVideo) -> None:
    frames = frames_of(write_video(frames=8, fps=12), stride=3)
    assert [frame.info.frame for frame in frames] == [0, 3, 6]
    np.testing.assert_allclose([brightness(frame) for frame in frames], [0, 30, 60], atol=2)
    assert frames[0].clip is not None
    assert (frames[0].clip.fps, frames[0].clip.frames) == (4, 3)


def test_a_folder_mixes_pictures_and_videos(
    tmp_path: Path, write_video: WriteVideo, write_png: Callable[..., Path]
) -> None:
    write_png("a.png")
    write_video("deep/b.mp4", frames=2)
    write_png("c.png")
    assert [str(file.relative) for file in find_files(tmp_path)] == ["a.png", "c.png", str(Path("deep/b.mp4"))]
    assert [frame.info.frame for frame in frames_of(tmp_path)] == [None, None, 0, 1]
    assert [frame.info.frame for frame in frames_of(str(tmp_path / "**" / "*.mp4"))] == [0, 1]


def test_rotation_in_the_file_is_applied(write_video: WriteVideo) -> None:
    path = write_video("phone.mp4", frames=3, size=(48, 64))
    data = bytearray(path.read_bytes())
    # The display matrix of ISO 14496-12's track header, 40 bytes behind its creation date: a quarter turn.
    matrix = data.index(b"tkhd") + 4 + 4 + 36
    assert struct.unpack(">9i", data[matrix : matrix + 36]) == (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    assert {(frame.info.width, frame.info.height) for frame in frames_of(path)} == {(48, 64)}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\1no video\2" * 100, "damaged, or not a video that can be read"),
        (b"no video" * 100, "not a video that can be read, but a text"),
    ],
)
def test_what_is_no_video(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    (error,) = pictures(tmp_path / "a.mp4")
    assert isinstance(error, SourceError)
    assert str(error).startswith(f"{tmp_path / 'a.mp4'}: {reason}")


def test_a_video_cut_short_gives_its_frames_and_then_says_so(write_video: WriteVideo) -> None:
    path = write_video("clip.avi", frames=20, size=(240, 320))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    *frames, error = pictures(path)
    assert 5 < len(frames) < 15
    assert isinstance(error, SourceError)
    assert f"only {len(frames)} of 20 frames" in str(error)


def test_no_frame_at_all(captures: Callable[..., None], fake_capture: Any, write_video: WriteVideo) -> None:
    capture = fake_capture(frames=0)
    path = write_video()
    captures(capture)
    (error,) = pictures(path)
    assert "no frame of it can be read" in str(error)
    assert capture.released.is_set()
