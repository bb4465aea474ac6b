from __future__ import annotations

import io
import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from maskdet.cli import main
from maskdet.detector.inference.model import MaskDetector
from maskdet.sessions.processor import threads_each

WriteVideo = Callable[..., Path]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs ``maskdet detect`` at a small size and gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["detect", "--imgsz", "64", *(str(arg) for arg in args)])
        captured = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, captured.out, captured.err

    return call


def frames_in(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    return sum(1 for _ in iter(capture.grab, False))


def test_a_video_gives_one_line_and_an_annotated_video(run: Run, write_video: WriteVideo, tmp_path: Path) -> None:
    write_video("clip.mp4", frames=6, fps=12)
    code, out, err = run("clip.mp4", "--vid-stride", "2")
    assert code == 0
    (line,) = [line for line in out.splitlines() if "clip.mp4" in line]
    assert [cell.strip() for cell in line.split("│")[2:7]] == ["3", "·", "·", "·", "–"]
    assert "0 sightings of faces in 3 frames" in out
    assert "videos with boxes: maskdet-out" in err
    capture = cv2.VideoCapture(str(tmp_path / "maskdet-out" / "clip.mp4"))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(6)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 3


def test_without_pyav_a_line_says_what_is_missing_once(
    run: Run, write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskdet.writers.video.writes_h264", lambda: False)
    monkeypatch.setattr("maskdet.writers.h264.writes_h264", lambda: False)
    for name in ("a.mp4", "b.mp4"):
        write_video(name, frames=2)
    code, _, err = run("a.mp4", "b.mp4")
    assert code == 0
    assert err.count("which browsers do not play: pip install av for H.264") == 1


PHONE = Path(__file__).parent.parent.parent / "cases" / "video-variable-rate" / "vfr.mp4"


def test_a_variable_rate_keeps_its_times(run: Run, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    assert run(PHONE, "--save", "out", "--json", "-")[0] == 0
    with av.open(str(tmp_path / "out" / "vfr.mp4")) as copy:
        assert [frame.time for frame in copy.decode(video=0)] == pytest.approx([0, 0.1, 0.2, 5, 5.1, 9])


def test_a_variable_rate_keeps_its_time(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskdet.writers.video.writes_h264", lambda: False)
    code, out, _ = run(PHONE, "--save", "out", "--json", "-")
    assert code == 0
    assert len(out.splitlines()) == 6
    # At 0, 0.1, 0.2, 5, 5.1 and 9 s: ten frames a second show each at its time, the last one once.
    copy = cv2.VideoCapture(str(tmp_path / "out" / "vfr.mp4"))
    assert copy.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    assert copy.get(cv2.CAP_PROP_FRAME_COUNT) == 91


def test_a_row_a_frame(run: Run, write_video: WriteVideo) -> None:
    path = write_video("clip.avi", frames=5)
    code, out, _ = run(path, "--vid-stride", "2", "--batch", "2", "--json", "-")
    assert code == 0
    images = [json.loads(line)["image"] for line in out.splitlines()]
    assert images == [{"path": str(path), "width": 64, "height": 48, "frame": frame} for frame in (0, 2, 4)]


def test_pictures_and_videos_side_by_side(
    run: Run, write_video: WriteVideo, write_png: Callable[..., Path], tmp_path: Path
) -> None:
    write_video("in/b.avi", frames=2)
    write_png("in/a.png")
    (tmp_path / "in" / "c.mp4").write_bytes(b"no video")
    code, out, err = run("in", "--save", "out")
    assert code == 2
    assert "a.png" in out
    assert "b.avi" in out
    assert "error: in/c.mp4: not a video that can be read, but a text" in err.splitlines()
    assert "pictures and videos with boxes: out" in err
    assert sorted(child.name for child in (tmp_path / "out").iterdir()) == ["a.png", "b.avi"]


def test_standard_input(run: Run, astronaut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(astronaut.read_bytes())))
    code, out, _ = run("-", "--json", "-", "--imgsz", "320")
    assert code == 0
    assert json.loads(out)["image"] == {"path": "-", "width": 512, "height": 512, "frame": None}
    assert json.loads(out)["counts"]["without_mask"] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_what_was_done_whole(
    run: Run, write_video: WriteVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    write_video("clip.mp4", frames=20)
    real, asked = MaskDetector.detect_batch, []

    def pressed_at_the_tenth(self: MaskDetector, *args: Any, **options: Any) -> Any:
        asked.append(1)
        if len(asked) == 10:
            signal.raise_signal(number)
        return real(self, *args, **options)

    monkeypatch.setattr(MaskDetector, "detect_batch", pressed_at_the_tenth)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code, out, err = run(
            "clip.mp4", "--mode", "detect", "--save", "out", "--json", "out/a.jsonl", "--csv", "out/a.csv"
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == 130
    assert err.splitlines()[-1] == "interrupted"
    lines = (tmp_path / "out" / "a.jsonl").read_text().splitlines()
    # Of the nine before it, as many are lost as are in the model at once, with the one that waits for it.
    assert 9 - (MaskDetector(threads=threads_each()).workers + 1) <= len(lines) <= 9
    assert [json.loads(line)["image"]["frame"] for line in lines] == list(range(len(lines)))
    assert f"in {len(lines)} frames" in out
    assert sorted(child.name for child in (tmp_path / "out").iterdir()) == ["a.csv", "a.jsonl", "clip.mp4"]
    assert frames_in(tmp_path / "out" / "clip.mp4") == len(lines)


def test_lines_are_there_before_the_end(
    run: Run, write_video: WriteVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, lines, one_at_a_time = MaskDetector.detect_batch, [], threading.Lock()

    def look(self: MaskDetector, *args: Any, **options: Any) -> Any:
        with one_at_a_time:  # or another call could read later and note its count earlier
            lines.append(len((tmp_path / "a.jsonl").read_text().splitlines()))
        return real(self, *args, **options)

    monkeypatch.setattr(MaskDetector, "detect_batch", look)
    run(write_video("clip.avi", frames=20), "--mode", "detect", "--json", "a.jsonl")
    most = MaskDetector(threads=threads_each()).workers + 1  # in the model, and waiting for it
    assert all(number - most <= written <= number for number, written in enumerate(lines))
    assert lines[-1] > 0


def test_show_without_a_display(run: Run, write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, out, err = run(write_video(), "--show")
    assert (code, out) == (2, "")
    assert err.startswith("error: --show: there is no display here")


def test_nothing_after_what_never_ends(run: Run) -> None:
    code, _, err = run("0", "a.jpg")
    assert code == 2
    assert "a webcam or stream never ends, and a.jpg comes after one: give it last" in err


def test_a_link_to_itself_costs_no_other(run: Run, write_png: Callable[..., Path], tmp_path: Path) -> None:
    good = write_png("good.png")
    for name in ("loop.png", "loop"):
        (tmp_path / name).symlink_to(name)
    code, _, err = run("loop.png", "loop", good)
    assert code == 2
    assert [line.partition(":")[0] for line in err.splitlines() if line.startswith("error")] == ["error", "error"]
    assert "loop.png" in err
    assert (tmp_path / "maskdet-out" / "good.png").is_file()
