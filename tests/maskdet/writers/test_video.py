from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from maskdet.errors import SourceError
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo
from maskdet.sources import Clip
from maskdet.writers.video import VideoWriter


def result(value: int = 0, size: tuple[int, int] = (48, 64), faces: int = 0) -> MaskResult:
    face = Face("with_mask", 0, 0.9, (20.0, 20.0, 40.0, 40.0))
    info = ImageInfo("clip.mp4", size[1], size[0], 0)
    return MaskResult([face] * faces, info, ModelInfo("m", 32, 0.25), 1.0, np.full((*size, 3), value, np.uint8))


def clip(name: str = "clip.mp4", *, fps: float = 12.5, live: bool = False) -> Clip:
    return Clip(f"in/{name}", Path(name), fps, None, live)


def read_back(path: Path) -> tuple[list[npt.NDArray[np.uint8]], float]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while capture.grab():
        frames.append(np.asarray(capture.retrieve()[1], np.uint8))
    return frames, capture.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize("h264", [True, False])
@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv", ".avi"])
def test_what_is_written_plays(tmp_path: Path, suffix: str, h264: bool) -> None:
    source = clip(f"clip{suffix}")
    with VideoWriter(tmp_path / "out", h264=h264) as writer:
        for value in (0, 100, 200):
            writer.write(source, result(value))
    assert [child.name for child in (tmp_path / "out").iterdir()] == [f"clip{suffix}"]
    frames, fps = read_back(tmp_path / "out" / f"clip{suffix}")
    assert fps == pytest.approx(12.5)
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    np.testing.assert_allclose([frame.mean() for frame in frames], [0, 100, 200], atol=6)


@pytest.mark.parametrize("h264", [True, False])
@pytest.mark.parametrize("fps", [0.083, 30000 / 1001, 1000 / 11, 240.0])
def test_odd_frame_rates(tmp_path: Path, fps: float, h264: bool) -> None:
    with VideoWriter(tmp_path, h264=h264) as writer:
        writer.write(clip(fps=fps), result())
    assert read_back(tmp_path / "clip.mp4")[1] == pytest.approx(fps, rel=1e-2)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path, h264=False)
    writer.write(clip(), result())
    (temporary,) = tmp_path.iterdir()
    temporary.unlink()
    temporary.write_bytes(b"half a video")  # the writer goes on writing the unlinked file
    with pytest.raises(SourceError, match="is the disk full"):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_faces_and_the_running_share_are_drawn(tmp_path: Path) -> None:
    with VideoWriter(tmp_path) as writer:
        writer.write(clip(), result(faces=1))
    (frame,), _ = read_back(tmp_path / "clip.mp4")
    assert frame[20:41, 20:41].max() > 100  # the box
    assert frame[:12, :60].max() > 100  # the line of text


def test_the_final_name_appears_only_at_the_end(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path)
    one, two = clip(), clip()
    writer.write(one, result())
    assert not (tmp_path / "clip.mp4").exists()
    writer.write(two, result())  # another clip of the same name: the first is whole now
    assert (tmp_path / "clip.mp4").is_file()
    writer.write(two, result())
    writer.close()
    assert sorted(child.name for child in tmp_path.iterdir()) == ["clip-2.mp4", "clip.mp4"]
    assert [len(read_back(tmp_path / name)[0]) for name in ("clip.mp4", "clip-2.mp4")] == [1, 2]


def test_an_error_leaves_what_was_done_whole(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path) as writer:
        writer.write(clip(), result())
        raise KeyboardInterrupt
    assert len(read_back(tmp_path / "clip.mp4")[0]) == 1


def test_other_containers_become_mp4(tmp_path: Path) -> None:
    with VideoWriter(tmp_path) as writer:
        writer.write(clip("deep/clip.webm"), result())
    assert (tmp_path / "deep" / "clip.webm.mp4").is_file()


def test_what_cannot_be_written_is_told_once(tmp_path: Path, write_video: Callable[..., Path]) -> None:
    original = write_video("clip.avi")
    before = original.read_bytes()
    same = Clip(str(original), Path("clip.avi"), 10, None, live=False)
    with VideoWriter(tmp_path) as writer:
        with pytest.raises(SourceError, match="would overwrite the original"):
            writer.write(same, result())
        writer.write(same, result())
    assert original.read_bytes() == before
    (tmp_path / "file").write_text("")
    with VideoWriter(tmp_path / "file" / "sub") as writer, pytest.raises(SourceError, match="cannot be written"):
        writer.write(clip(), result())


def test_a_recording_of_a_live_stream_keeps_the_time(tmp_path: Path) -> None:
    # Ten frames a second declared; two come in time, one half a second late, one after a lost connection.
    times: Iterator[float] = iter([0.0, 0.1, 0.2, 0.7, 60.7])
    with VideoWriter(tmp_path, clock=lambda: next(times), h264=False) as writer:
        stream = clip("cam.mp4", fps=10, live=True)
        for value in (0, 50, 100, 150, 200):
            writer.write(stream, result(value))
    frames, _ = read_back(tmp_path / "cam.mp4")
    levels = [round(float(frame.mean()) / 50) for frame in frames]
    assert levels == [0, 1, 2, *[3] * 5, *[4] * 10]


def test_a_stream_that_comes_back_larger_keeps_its_size(tmp_path: Path) -> None:
    with VideoWriter(tmp_path) as writer:
        writer.write(one := clip(), result(100))
        writer.write(one, result(100, size=(96, 128)))
    frames, _ = read_back(tmp_path / "clip.mp4")
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 2


def test_frames_that_an_encoder_cannot_hold_are_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskdet.writers.video._MOST_PIXELS", 3000)
    with VideoWriter(tmp_path) as writer:
        one = clip()
        with pytest.raises(SourceError, match="frames of 64×48 pixels are more than"):
            writer.write(one, result())
        writer.write(one, result())
    assert list(tmp_path.iterdir()) == []


def test_large_frames_do_not_wait_for_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskdet.writers.pace._LARGEST_HELD", 100)
    with VideoWriter(tmp_path, h264=False) as writer:
        one = clip()
        for seconds in (0.0, 0.1, 5.0):
            writer.write(one, result(), seconds)
    assert len(read_back(tmp_path / "clip.mp4")[0]) == 3


def test_a_variable_rate_is_held(tmp_path: Path) -> None:
    with VideoWriter(tmp_path, h264=False) as writer:
        one = clip(fps=2)
        for value, seconds in ((0, 0.0), (50, 0.1), (100, 0.2), (150, 0.5), (200, 0.6)):
            writer.write(one, result(value), seconds)
    frames, fps = read_back(tmp_path / "clip.mp4")
    assert fps == pytest.approx(10)
    assert [round(float(frame.mean()) / 50) for frame in frames] == [0, 1, 2, 2, 2, 3, 4]
