"""Videos as other programs read them: FFmpeg by PyAV, and a browser."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskdet.errors import SourceError
from maskdet.results import ImageInfo, MaskResult, ModelInfo
from maskdet.sources import Clip, Picture, read
from maskdet.writers.video import VideoWriter

av = pytest.importorskip("av", reason="PyAV is not installed")

RATE = 44_100


def make_source(
    path: Path,
    times: Sequence[float],
    *,
    size: tuple[int, int] = (64, 48),
    last: float = 0.1,
    sound: str | None = "aac",
    sound_seconds: float | None = None,
    vcodec: str = "libx264",
) -> Path:
    """Write a video whose frame n has the grey 50 n, beside it a tone as long as the frames unless told otherwise."""
    with av.open(str(path), "w") as file:
        video = file.add_stream(vcodec, rate=10, options={"bf": "0", "g": "1"} if vcodec == "libx264" else {})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = video.time_base = Fraction(1, 90_000)
        tone = None
        if sound:
            tone = file.add_stream(sound, rate=48_000 if "opus" in sound else RATE)
            tone.layout = "stereo"
            if sound == "vorbis":
                tone.codec_context.options = {"strict": "-2"}
        for number, seconds in enumerate(times):
            grey = np.full((size[1], size[0], 3), 50 * number % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="bgr24").reformat(format="yuv420p")
            frame.time_base, frame.pts = Fraction(1, 90_000), round(seconds * 90_000)
            for packet in video.encode(frame):
                file.mux(packet)
        for packet in video.encode(None):
            packet.duration = round(last * 90_000)
            file.mux(packet)
        if tone is not None:
            length = sound_seconds or times[-1] + last
            wave = np.sin(np.arange(round(length * tone.rate)) * 2 * np.pi * 440 / tone.rate)
            samples = np.repeat((wave * 8000).astype(np.int16)[None], 2, axis=1).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = tone.rate, 0, Fraction(1, tone.rate)
            into = av.AudioResampler(tone.codec_context.format, "stereo", tone.rate, frame_size=tone.frame_size or 1024)
            for part in [*into.resample(frame), *into.resample(None), None]:
                file.mux(tone.encode(part))
    return path


def rotate(path: Path) -> Path:
    """Let an MP4 say that its picture is to be turned a quarter clockwise, as a phone held upright does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    matrix = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)
    return path


def annotate(source: Path, folder: Path, *, stride: int = 1, frames: int | None = None) -> Path:
    """Write the video again, as ``maskdet detect`` does where no face is found; only so many frames of it."""
    with VideoWriter(folder, h264=True) as writer:
        for number, picture in enumerate(read([source], stride=stride)):
            assert isinstance(picture, Picture)
            assert picture.clip is not None
            if number == frames:
                break
            answer = MaskResult([], picture.info, ModelInfo("m", 32, 0.25), 1.0, picture.pixels)
            writer.write(picture.clip, answer, picture.seconds)
    (written,) = folder.iterdir()
    return written


@dataclass(frozen=True)
class Reading:
    """What FFmpeg says of a file."""

    codec: str
    pixel_format: str
    size: tuple[int, int]
    times: list[float]
    levels: list[int]
    seconds: float
    sound: list[str]
    sound_start: float
    sound_end: float
    pictures: list[Any]


def look(path: Path) -> Reading:
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        frames = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in file.decode(video)]
        seconds = float(video.duration * video.time_base) if video.duration else file.duration / 1e6
        names, starts, ends = [], [0.0], [0.0]
        for stream in file.streams.audio:
            names.append(stream.codec.name)
            file.seek(0)
            heard = [frame for frame in file.decode(stream) if frame.pts is not None]
            starts.append(heard[0].time)
            ends.append(heard[-1].time + heard[-1].samples / heard[-1].sample_rate)
        return Reading(
            video.codec.name,
            video.codec_context.pix_fmt,
            (video.width, video.height),
            [round(time, 4) for time, _ in frames],
            [round(float(pixels.mean()) / 50) for _, pixels in frames],
            seconds,
            names,
            starts[-1],
            ends[-1],
            [pixels for _, pixels in frames],
        )


def atoms(path: Path) -> list[str]:
    """Return the names of an MP4's boxes, in order."""
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        names.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4], "big") or len(data)
    return names


def test_what_a_browser_plays(tmp_path: Path) -> None:
    written = annotate(make_source(tmp_path / "clip.mp4", [0, 0.1, 0.2, 0.3]), tmp_path / "out")
    reading = look(written)
    assert (reading.codec, reading.pixel_format, reading.size) == ("h264", "yuv420p", (64, 48))
    assert (reading.times, reading.levels) == ([0, 0.1, 0.2, 0.3], [0, 1, 2, 3])
    assert reading.seconds == pytest.approx(0.4, abs=1e-3)
    names = atoms(written)
    assert names.index("moov") < names.index("mdat")
    assert names[-1] == "free"  # the mark by which it is known again


def test_words_in_another_encoding_end_nothing(tmp_path: Path) -> None:
    source = make_source(tmp_path / "a.mp4", [0, 0.1, 0.2])
    data = source.read_bytes()
    assert b"VideoHandler" in data
    source.write_bytes(data.replace(b"VideoHandler", b"Vid\xffoHandler"))
    assert len(look(annotate(source, tmp_path / "out")).times) == 3


def test_a_variable_rate_is_kept_frame_by_frame(tmp_path: Path) -> None:
    times = [0, 0.033, 0.1, 0.6, 0.65]
    written = annotate(make_source(tmp_path / "clip.mp4", times, last=2), tmp_path / "out")
    reading = look(written)
    assert reading.times == pytest.approx(times, abs=1e-3)
    assert reading.levels == [0, 1, 2, 3, 4]
    assert reading.seconds == pytest.approx(2.65, abs=2e-3)  # the last frame stays for two seconds there too


def test_a_stride_keeps_the_time(tmp_path: Path) -> None:
    source = make_source(tmp_path / "clip.mp4", [0, 0.1, 0.2, 0.3, 0.4])
    reading = look(annotate(source, tmp_path / "out", stride=2))
    assert (reading.times, reading.levels) == ([0, 0.2, 0.4], [0, 2, 4])
    assert reading.seconds == pytest.approx(0.5, abs=1e-3)


def test_odd_sides_lose_nothing(tmp_path: Path) -> None:
    info = ImageInfo("clip.mp4", 65, 49, 0)
    pixels = np.zeros((49, 65, 3), np.uint8)
    pixels[:, 64] = 255
    with VideoWriter(tmp_path, h264=True) as writer:
        one = Clip("clip.mp4", Path("clip.mp4"), 10, None, False)
        writer.write(one, MaskResult([], info, ModelInfo("m", 32, 0.25), 1.0, pixels))
    reading = look(tmp_path / "clip.mp4")
    assert reading.size == (66, 50)
    assert reading.pictures[0][20, 64:].min() > 200
    assert reading.pictures[0][20, :60].max() < 50


def test_what_is_turned_is_written_upright(tmp_path: Path) -> None:
    source = rotate(make_source(tmp_path / "clip.mp4", [0, 0.1]))
    written = annotate(source, tmp_path / "out")
    with av.open(str(source)) as turned, av.open(str(written)) as upright:
        assert abs(next(turned.decode(video=0)).rotation) == 90
        assert next(upright.decode(video=0)).rotation == 0
    assert look(written).size == (48, 64)


@pytest.mark.parametrize(
    ("name", "sound", "vcodec", "kept"),
    [
        ("a.mp4", "aac", "libx264", "aac"),
        ("a.mov", "pcm_s16le", "libx264", "aac"),
        ("a.mkv", "pcm_s16le", "libx264", "pcm_s16le"),
        ("a.mkv", "libopus", "libx264", "opus"),
        ("a.webm", "libopus", "libvpx", "opus"),
        ("a.mp4", "libmp3lame", "libx264", "mp3float"),
        ("a.mov", "pcm_mulaw", "libx264", "aac"),
    ],
)
def test_the_sound_stays(tmp_path: Path, name: str, sound: str, vcodec: str, kept: str) -> None:
    times = [number / 10 for number in range(10)]
    source = make_source(tmp_path / name, times, sound=sound, vcodec=vcodec)
    reading = look(annotate(source, tmp_path / "out"))
    assert reading.sound == [kept]
    assert reading.sound_start == pytest.approx(0, abs=0.03)
    assert reading.sound_end == pytest.approx(1, abs=0.06)
    assert reading.seconds == pytest.approx(1, abs=0.06)


def test_the_packets_of_aac_are_the_same(tmp_path: Path) -> None:
    source = make_source(tmp_path / "clip.mp4", [0, 0.1, 0.2])
    written = annotate(source, tmp_path / "out")

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as file:
            return [bytes(packet) for packet in file.demux(audio=0) if packet.size]

    assert packets(written) == packets(source) != []


def test_sound_that_is_longer_stays_whole_unless_the_run_ends_before(tmp_path: Path) -> None:
    source = make_source(tmp_path / "clip.mp4", [0, 0.1, 0.2, 0.3], sound_seconds=1.0)
    assert look(annotate(source, tmp_path / "out")).sound_end == pytest.approx(1, abs=0.06)
    half = look(annotate(source, tmp_path / "half", frames=2))
    assert half.times == [0, 0.1]
    assert half.sound_end == pytest.approx(0.2, abs=0.03)


def test_a_source_that_is_gone_costs_only_its_sound(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no video any more")
    info = ImageInfo("clip.mp4", 64, 48, 0)
    with VideoWriter(tmp_path / "out", h264=True) as writer:
        one = Clip(str(tmp_path / "clip.mp4"), Path("clip.mp4"), 10, None, False)
        writer.write(one, MaskResult([], info, ModelInfo("m", 32, 0.25), 1.0, np.zeros((48, 64, 3), np.uint8)))
    reading = look(tmp_path / "out" / "clip.mp4")
    assert (reading.times, reading.sound) == ([0], [])


def test_times_that_leap_or_run_back_are_passed_over(tmp_path: Path) -> None:
    info = ImageInfo("clip.mp4", 64, 48, 0)
    with VideoWriter(tmp_path, h264=True) as writer:
        one = Clip("clip.mp4", Path("clip.mp4"), 10, None, False)
        for seconds in (1e9, 0.1, 0.05, 1e12, None, 1.0):
            frame = MaskResult([], info, ModelInfo("m", 32, 0.25), 1.0, np.zeros((48, 64, 3), np.uint8))
            writer.write(one, frame, seconds)
    assert look(tmp_path / "clip.mp4").times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 1.0])


def test_a_recording_of_a_live_stream_keeps_the_time(tmp_path: Path) -> None:
    # Ten frames a second declared; two come in time, one half a second late, one after a lost connection.
    times: Iterator[float] = iter([0.0, 0.1, 0.2, 0.7, 60.7])
    with VideoWriter(tmp_path, clock=lambda: next(times), h264=True) as writer:
        stream = Clip("cam", Path("cam.mp4"), 10, None, True)
        for value in (0, 50, 100, 150, 200):
            info = ImageInfo("cam", 64, 48, 0)
            pixels = np.full((48, 64, 3), value, np.uint8)
            writer.write(stream, MaskResult([], info, ModelInfo("m", 32, 0.25), 1.0, pixels))
    reading = look(tmp_path / "cam.mp4")
    assert reading.times == pytest.approx([0, 0.1, 0.2, 0.7, 1.7])
    assert reading.levels == [0, 1, 2, 3, 4]
    assert reading.seconds == pytest.approx(1.8, abs=1e-3)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse to write more into any file, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    writer = VideoWriter(tmp_path, h264=True)
    one = Clip("clip.mp4", Path("clip.mp4"), 10, None, False)
    with (
        files_of_at_most(100_000),
        pytest.raises(SourceError, match=r"clip\.mp4: cannot be written \(File too large\)"),
    ):
        for number in range(60):
            info = ImageInfo("clip.mp4", 640, 480, number)
            writer.write(one, MaskResult([], info, ModelInfo("m", 32, 0.25), 1.0, np.roll(noise, 7 * number)))
        writer.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="FFmpeg's own programs are not installed")
def test_ffmpeg_reads_every_frame_without_a_word(tmp_path: Path) -> None:
    written = annotate(make_source(tmp_path / "clip.mp4", [0, 0.1, 0.5], sound="aac"), tmp_path / "out")
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-i", written, "-f", "null", "-"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
