"""Videos that every player and browser plays: H.264 with the sound of the source, written by PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Containers that are written, by ending, and what FFmpeg calls them.
CONTAINERS: Final = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}

#: Parts of a second in which times are counted, as in MPEG: every usual rate is whole in them.
_CLOCK: Final = 90_000

#: Sound that browsers play from MP4; any other is written as AAC there.
_PLAYED: Final = frozenset({"aac", "flac", "mp3", "opus"})
_AAC_RATES: Final = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})

#: Seconds that one frame may stand for: a longer time is damage.
_LONGEST: Final = 3600.0

#: Pixels of a frame above which the encoder looks no frames ahead: it would hold gigabytes.
_LARGE: Final = 9_000_000

#: ITU-R BT.709, as FFmpeg counts colour spaces, and the range of values of television.
_BT709, _LIMITED_RANGE = 1, 1

Image = npt.NDArray[np.uint8]


@cache
def writes_h264() -> bool:
    """Whether PyAV is installed, with an encoder for H.264."""
    try:
        import av
    except ImportError:
        return False
    return "libx264" in av.codecs_available


class H264Encoder:
    """Writes frames at their own times, beside them the sound of the video that they come from.

    All methods raise ``OSError`` where the file cannot be written.
    """

    def __init__(self, path: Path, *, fps: float, size: tuple[int, int], source: Path | None) -> None:
        """Open ``path``, whose ending tells the container; its index comes first, so that it plays while it loads.

        Args:
            path: written at once.
            fps: frames a second, for frames without a time and the last one.
            size: width and height of the frames; an odd side gets one more column or row, a copy of its last one.
            source: the file to take the sound from.
        """
        import av

        self._size, self._usual = size, 1 / fps
        self._waiting: tuple[Any, float] | None = None
        kind = CONTAINERS[path.suffix.lower()]
        with ExitStack() as stack, _os_errors():
            # Matroska knows no such option, and FFmpeg would say so on standard error.
            options = {} if kind == "matroska" else {"movflags": "+faststart"}
            self._file = stack.enter_context(av.open(str(path), "w", format=kind, options=options))
            self._video = self._add_video(fps)
            self._sound = (
                None if source is None else Sound.open(source, self._file, stack, any_codec=kind == "matroska")
            )
            self._stack = stack.pop_all()

    def _add_video(self, fps: float) -> Any:
        width, height = self._size
        # Without frames coded out of order the times are plain, and a file that was cut off plays to its end.
        options = {"preset": "veryfast", "crf": "23", "bf": "0"}
        if width * height > _LARGE:
            options |= {"preset": "ultrafast", "rc-lookahead": "0", "threads": "2"}
        video = self._file.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=options)
        video.width, video.height, video.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = video.codec_context
        context.time_base = video.time_base = Fraction(1, _CLOCK)
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        return video

    def write(self, frame: Image, seconds: float | None) -> None:
        """Write one frame.

        Args:
            frame: (H, W, 3) uint8 BGR.
            seconds: where in the video it stands; where that is unknown, runs backwards or leaps by more than an hour,
                the frame comes one usual interval after the one before.
        """
        import av

        start = max(seconds or 0.0, 0.0)
        if self._waiting is not None:
            before = self._waiting[1]
            if seconds is None or not before + 1 / _CLOCK <= seconds <= before + _LONGEST:
                start = before + self._usual
            self._encode_waiting(start)
        elif start > _LONGEST:
            start = 0.0
        odd = [(0, side % 2) for side in frame.shape[:2]]
        if odd != [(0, 0), (0, 0)]:
            frame = np.pad(frame, [*odd, (0, 0)], mode="edge")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="bgr24")
        self._waiting = picture.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"), start

    def _encode_waiting(self, end: float) -> None:
        """Encode the frame that waits, shown until ``end``, and bring the sound there."""
        assert self._waiting is not None
        picture, start = self._waiting
        picture.time_base, picture.pts = Fraction(1, _CLOCK), round(start * _CLOCK)
        with _os_errors():
            self._file.mux(self._video.encode(picture))
            if self._sound is not None:
                self._sound.copy(end)

    def finish(self, *, complete: bool) -> None:
        """Write what waits, and the index.

        Args:
            complete: all frames of the source came, so that the last one stays, and the sound goes on, to its end.
        """
        with _os_errors(), self._stack:
            if self._waiting is None:
                return
            start, whole = self._waiting[1], 0.0 if self._sound is None else self._sound.video_seconds
            complete = complete or start < whole <= start + 2 * self._usual
            end = whole if complete and start < whole <= start + _LONGEST else start + self._usual
            self._encode_waiting(end)
            packets = self._video.encode(None)
            for packet in packets:
                if packet.pts == round(start * _CLOCK):  # of the others the container tells it from the next one
                    packet.duration = round((end - start) * _CLOCK)
            self._file.mux(packets)
            if self._sound is not None:
                self._sound.finish(None if complete else end)

    def abandon(self) -> None:
        """Close the file as it is, whatever that brings: why it was given up is known."""
        import av

        with suppress(OSError, av.FFmpegError):
            self._stack.close()


class Sound:
    """The sound of a source on its way into another file: its own packets, or AAC where MP4 would not play them."""

    def __init__(self, source: Any, video: Any, target: Any, *, any_codec: bool) -> None:
        """Add a stream to ``target`` for each one of ``source``.

        Args:
            source: open file.
            video: its stream of frames.
            target: open file.
            any_codec: whether the target is a container that keeps any codec.
        """
        self._target = target
        self._shift = (video.start_time or 0) * video.time_base
        self.video_seconds = float((video.duration or 0) * video.time_base)
        self._tracks = {stream.index: self._add(stream, any_codec) for stream in source.streams.audio}
        self._packets: Iterator[Any] = source.demux(*source.streams.audio) if self._tracks else iter(())
        self._next: Any = None

    @classmethod
    def open(cls, path: Path, target: Any, stack: ExitStack, *, any_codec: bool) -> Sound | None:
        """Open a video for its sound, as long as ``stack`` stands; None where it cannot be read a second time."""
        import av

        try:
            options = {"protocol_whitelist": "file"}
            source = stack.enter_context(av.open(str(path), options=options, metadata_errors="replace"))
        except (av.FFmpegError, OSError):  # OpenCV reads some that FFmpeg alone does not, and they have no sound
            return None
        video = source.streams.best("video")
        return None if video is None else cls(source, video, target, any_codec=any_codec)

    def _add(self, stream: Any, any_codec: bool) -> tuple[Any, Any]:
        """Return the new stream, and what turns the old one's sound into AAC (None: its packets are kept)."""
        import av

        if stream.codec.canonical_name in (self._target.supported_codecs if any_codec else _PLAYED):
            return self._target.add_stream_from_template(stream), None
        layout = "mono" if stream.channels == 1 else "stereo"
        rate = stream.rate if stream.rate in _AAC_RATES else 48_000
        return (
            self._target.add_stream("aac", rate=rate, layout=layout),
            av.AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=1024),
        )

    def copy(self, until: float | None) -> None:
        """Write what is heard before a time in seconds, from the first frame on; None: all."""
        import av

        try:
            while (packet := self._next or next(self._packets, None)) is not None:
                self._next = packet
                if packet.pts is not None:
                    seconds = packet.pts * packet.time_base - self._shift
                    if until is not None and seconds >= until:
                        return
                    self._write(packet, seconds)
                self._next = None
        except (av.InvalidDataError, av.EOFError):  # damaged from here on
            self._next, self._packets = None, iter(())

    def _write(self, packet: Any, seconds: Fraction) -> None:
        target, resampler = self._tracks[packet.stream.index]
        if resampler is None:
            shift = round(self._shift / packet.time_base)
            packet.pts -= shift
            packet.dts = packet.pts if packet.dts is None else packet.dts - shift
            packet.stream = target
            self._target.mux(packet)
            return
        for frame in packet.decode():
            if frame.pts is not None:
                frame.pts -= round(self._shift / frame.time_base)
            self._encode(target, resampler.resample(frame))

    def _encode(self, target: Any, frames: Iterable[Any]) -> None:
        for frame in frames:
            self._target.mux(target.encode(frame))

    def finish(self, until: float | None) -> None:
        """Write the rest of what is heard before a time in seconds; None: to the end."""
        self.copy(until)
        for target, resampler in self._tracks.values():
            if resampler is not None:
                self._encode(target, [*resampler.resample(None), None])


@contextmanager
def _os_errors() -> Iterator[None]:
    """Turn errors of FFmpeg, which are of many kinds, into ``OSError``."""
    import av

    try:
        yield
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error
