"""Annotated videos: one file a video or stream, under its final name only once it is whole."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.files.atomic import create_beside
from maskdet.files.guard import Guard
from maskdet.files.signature import video_tail
from maskdet.paths import real_path
from maskdet.results import MaskResult
from maskdet.sources import Clip
from maskdet.sources.content.capture import open_capture
from maskdet.writers.pace import Pace, choose_rate
from maskdet.writers.tally import ClipTally

#: Endings that are kept, and the codec written into them; any other video becomes an .mp4. These are codecs that every
#: OpenCV wheel can write: H.264 is not among them.
CODECS: Final = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}

#: Seconds that one frame of a live stream may stand for; a longer gap is a lost connection and is left out.
_LONGEST_STILL: Final = 1.0

#: Frames whose times choose the rate of the copy: so many, as far as they take no more than so many bytes.
_FIRST_FRAMES, _FIRST_BYTES = 12, 64_000_000

#: Bytes of a frame that may wait for the time of the next one: one of 4K. Larger ones are written once each.
_LARGEST_HELD: Final = 30_000_000

#: Pixels of a frame that is written, one of 8K: encoders hold it several times over.
_MOST_PIXELS: Final = 36_000_000

Image = npt.NDArray[np.uint8]


class VideoWriter:
    """Writes the frames of one video or stream after another, annotated, below one folder.

    Each frame of a video is held as long as it is shown there, also where the rate varies; a recording of a live stream
    runs at the stream's speed: a frame that comes late is shown for longer. Use it as a context manager; leaving it
    finishes the file being written, also on an error or Ctrl-C: what was done until then is whole and playable.
    """

    def __init__(
        self, folder: Path, guard: Guard | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write below ``folder``, made with the first frame; ``guard`` knows what is read, ``clock`` gives seconds."""
        self._folder, self._guard = folder, guard or Guard()
        self._clock = clock
        self._names = VideoNames(folder)
        self._clip: Clip | None = None
        self._file: _VideoFile | None = None
        self.finished = 0

    def __enter__(self) -> Self:
        """Return the writer itself; files are made when frames come."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file being written."""
        self.close()

    def write(self, clip: Clip, result: MaskResult, seconds: float | None = None) -> None:
        """Write one frame; the first frame of another clip finishes the file before.

        Args:
            clip: the video or stream.
            result: the frame's.
            seconds: where in a video it stands, as far as that is known.

        Raises:
            SourceError: the target is the video itself, or cannot be written; told once a clip, whose other frames are
                then passed over.
        """
        if clip is not self._clip:
            self.close()
            self._clip = clip
            self._file = _VideoFile(self._choose(clip), clip, self._clock, result)
        if self._file is not None:
            try:
                self._file.write(result, seconds)
            except SourceError:
                self._file = None
                raise

    def close(self) -> None:
        """Finish the file being written, if there is one.

        Raises:
            SourceError: it cannot be given its name.
        """
        file, self._file, self._clip = self._file, None, None
        if file is not None:
            file.finish()
            self.finished += 1

    def _choose(self, clip: Clip) -> Path:
        target = self._names.target(clip.relative)
        if real_path(target) == real_path(clip.path):
            raise SourceError(target, "would overwrite the original; choose another --save folder")
        self._guard.check_media(target)
        return target


class VideoNames:
    """Gives each video a file that no other video of the call has: a second ``a.mp4`` becomes ``a-2.mp4``."""

    def __init__(self, folder: Path) -> None:
        """Name files below ``folder``."""
        self._folder = folder
        self._taken: set[Path] = set()
        self._next: dict[Path, int] = {}

    def target(self, relative: Path) -> Path:
        """Take and return the file of the next video.

        Args:
            relative: the video's place below the folder it was found in.
        """
        name = relative
        if name.suffix.lower() not in CODECS:
            name = name.with_name(name.name + ".mp4")
        number = self._next.get(name, 1)
        target = self._folder / (name if number == 1 else name.with_stem(f"{name.stem}-{number}"))
        while target in self._taken:
            number += 1
            target = self._folder / name.with_stem(f"{name.stem}-{number}")
        self._next[name] = number
        self._taken.add(target)
        return target


class _VideoFile:
    """One video while it is written, under a hidden name beside its target."""

    def __init__(self, target: Path, clip: Clip, clock: Callable[[], float], first: MaskResult) -> None:
        self._target, self._live, self._fps, self._clock = target, clip.live, clip.fps, clock
        self._tally = ClipTally(clip.path)
        self._last = clock()
        self._owed = 0.0
        # OpenCV's encoders want even sides and leave out an odd last column or row.
        self._size = (first.image.width, first.image.height)
        if self._size[0] * self._size[1] > _MOST_PIXELS:
            limit = f"{_MOST_PIXELS // 1_000_000} megapixels of a frame that are written"
            raise SourceError(target, f"frames of {self._size[0]:,}×{self._size[1]:,} pixels are more than the {limit}")
        self._handle: int | None
        try:
            # The ending tells OpenCV the container.
            self._handle, self._temporary = create_beside(target, suffix=target.suffix)
        except OSError as error:
            raise SourceError(target, f"cannot be written ({error.strerror})") from error
        self._writer: cv2.VideoWriter | None = None
        self._pace: Pace | None = None
        self._waiting: list[tuple[Image, float]] = []

    def write(self, result: MaskResult, seconds: float | None) -> None:
        self._tally.add(result)
        frame = result.plot()
        _draw_status(frame, result, self._tally)
        if (frame.shape[1], frame.shape[0]) != self._size:  # a stream that came back with another size
            frame = np.asarray(cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        if self._live or seconds is None or frame.nbytes > _LARGEST_HELD:
            writer = self._open(self._fps)
            for _ in range(self._copies()):
                writer.write(frame)
            return
        self._waiting.append((frame, seconds))
        if self._pace is not None or len(self._waiting) >= max(2, min(_FIRST_FRAMES, _FIRST_BYTES // frame.nbytes)):
            self._write_waiting()

    def _write_waiting(self) -> None:
        """Write all frames whose next one is there."""
        if self._pace is None:
            rate = choose_rate([seconds for _, seconds in self._waiting], self._fps)
            self._open(rate)
            self._pace = Pace(rate, self._fps)
        writer = self._open(self._fps)
        while len(self._waiting) > 1:
            (frame, seconds), (_, following) = self._waiting[:2]
            for _ in range(self._pace.copies(following - seconds)):
                writer.write(frame)
            del self._waiting[0]

    def _open(self, fps: float) -> cv2.VideoWriter:
        """Return the encoder, made with this rate where there is none yet."""
        if self._writer is None:
            codec = cv2.VideoWriter.fourcc(*CODECS[self._target.suffix.lower()])
            # MPEG-4 counts time in at most 65535 parts, and OpenCV takes as many decimals as the number has.
            rate = round(fps, 3 if fps < 65 else 2)
            self._writer = cv2.VideoWriter(str(self._temporary.absolute()), codec, rate, self._size)
            if not self._writer.isOpened():
                self._let_go()
                self._temporary.unlink(missing_ok=True)
                raise SourceError(self._target, "cannot be written: this OpenCV has no encoder for it")
        return self._writer

    def finish(self) -> None:
        try:
            self._complete()
        except OSError as error:
            raise SourceError(self._target, f"cannot be written ({error.strerror})") from error
        finally:  # a second Ctrl-C too must leave nothing
            self._let_go()
            self._temporary.unlink(missing_ok=True)

    def _complete(self) -> None:
        if self._waiting:
            self._write_waiting()
            self._open(self._fps).write(self._waiting[0][0])
        self._open(self._fps).release()
        with self._temporary.open("ab") as file:
            file.write(video_tail(self._target.suffix.lower()))
        # OpenCV does not say when it could not write, on a full disk for instance.
        if (check := open_capture(str(self._temporary.absolute()))) is None:
            raise SourceError(self._target, "could not be written whole; is the disk full?")
        check.release()
        self._let_go()
        self._temporary.replace(self._target)

    def _let_go(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _copies(self) -> int:
        """Return how often this frame is to be written so that a recording keeps the time."""
        if not self._live or self._tally.frames == 1:
            return 1
        now = self._clock()
        self._owed += min(now - self._last, _LONGEST_STILL) * self._fps
        self._last = now
        copies = int(self._owed + 1e-6)  # 0.5 s at 10 frames a second may come as 4.999999
        self._owed -= copies
        return copies


def _draw_status(frame: npt.NDArray[np.uint8], result: MaskResult, tally: ClipTally) -> None:
    """Write into the upper left corner how many wear a mask properly: now, and of all faces so far."""
    if tally.compliance is None:
        return
    text = f"{result.counts['with_mask']}/{len(result.faces)} with mask, {tally.compliance:.0%} so far"
    scale = max(0.35, min(min(frame.shape[:2]) / 900, 1.4))
    weight = max(1, round(scale * 1.8))
    height = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)[0][1]
    # Dark under light: readable on any picture.
    for colour, width in (((0, 0, 0), weight + 2), ((255, 255, 255), weight)):
        cv2.putText(frame, text, (4, height + 6), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, width, cv2.LINE_AA)
