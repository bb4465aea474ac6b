"""Annotated videos: one file a video or stream, under its final name only once it is whole."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, Self

import cv2
import numpy as np
import numpy.typing as npt

from maskdet.errors import SourceError
from maskdet.files.atomic import create_beside
from maskdet.files.guard import Guard
from maskdet.files.paths import real_path
from maskdet.files.signature import video_tail
from maskdet.results import MaskResult
from maskdet.sources import Clip
from maskdet.sources.video import open_capture
from maskdet.writers.h264 import CONTAINERS, H264Encoder, writes_h264
from maskdet.writers.pace import CODECS, OpenCvEncoder
from maskdet.writers.tally import ClipTally

#: Seconds that one frame of a live stream may stand for; a longer gap is a lost connection and is left out.
_LONGEST_STILL: Final = 1.0

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
        self,
        folder: Path,
        guard: Guard | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        h264: bool | None = None,
    ) -> None:
        """Write below a folder, made with the first frame; ``guard`` knows what is read, ``clock`` gives seconds.

        ``h264``: with the sound of the source, in containers that take it; None: where PyAV is there.
        """
        self._h264 = writes_h264() if h264 is None else h264
        self._folder, self._guard = folder, guard or Guard()
        self._clock = clock
        self._names = VideoNames(folder)
        self._clip: Clip | None = None
        self._file: _VideoFile | None = None
        self.finished = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, clip: Clip, result: MaskResult, seconds: float | None = None) -> None:
        """Write one frame; the first frame of another clip finishes the file before.

        Raises:
            SourceError: the target is the video itself, or cannot be written; told once a clip, whose other frames are
                then passed over.
        """
        if clip is not self._clip:
            self.close()
            self._clip = clip
            self._file = _VideoFile(self._choose(clip), clip, self._clock, result, h264=self._h264)
        if self._file is not None:
            try:
                self._file.write(result, seconds)
            except SourceError:
                self._file = None
                raise

    def close(self) -> None:
        """Finish the file being written, if there is one."""
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
        self._folder = folder
        self._taken: set[Path] = set()
        self._next: dict[Path, int] = {}

    def target(self, relative: Path) -> Path:
        """Take and return the file of the next video, from its place below the folder it was found in."""
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


class Encoder(Protocol):
    """What writes the frames of one video; its methods raise ``OSError`` where it cannot."""

    def write(self, frame: Image, seconds: float | None) -> None:
        """Write one frame, (H, W, 3) uint8 BGR, that comes at ``seconds``, as far as that is known."""

    def finish(self, *, complete: bool) -> None:
        """Write what waits, and the index; ``complete``: all frames of the source came."""

    def abandon(self) -> None:
        """Close the file as it is."""


class _VideoFile:
    """One video while it is written, under a hidden name beside its target."""

    def __init__(self, target: Path, clip: Clip, clock: Callable[[], float], first: MaskResult, *, h264: bool) -> None:
        self._target, self._clip, self._clock = target, clip, clock
        self._tally = ClipTally(clip.path)
        self._last, self._elapsed = clock(), 0.0
        self._size = (first.image.width, first.image.height)
        if self._size[0] * self._size[1] > _MOST_PIXELS:
            limit = f"{_MOST_PIXELS // 1_000_000} megapixels of a frame that are written"
            raise SourceError(target, f"frames of {self._size[0]:,}×{self._size[1]:,} pixels are more than the {limit}")
        self._handle: int | None
        try:
            # The ending tells the encoder the container.
            self._handle, self._temporary = create_beside(target, suffix=target.suffix)
        except OSError as error:
            raise SourceError(target, f"cannot be written ({error.strerror})") from error
        try:
            self._encoder = self._open(h264)
        except OSError as error:
            self._discard()
            raise SourceError(target, f"cannot be written ({error.strerror})") from error

    def _open(self, h264: bool) -> Encoder:
        clip = self._clip
        if h264 and self._target.suffix.lower() in CONTAINERS:
            source = None if clip.live or not Path(clip.path).is_file() else Path(clip.path)
            return H264Encoder(self._temporary, fps=clip.fps, size=self._size, source=source)
        return OpenCvEncoder(self._temporary, fps=clip.fps, size=self._size, live=clip.live)

    def write(self, result: MaskResult, seconds: float | None) -> None:
        self._tally.add(result)
        frame = result.plot()
        _draw_status(frame, result, self._tally)
        if (frame.shape[1], frame.shape[0]) != self._size:  # a stream that came back with another size
            frame = np.asarray(cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        if self._clip.live:
            seconds = self._recorded()
        try:
            self._encoder.write(frame, seconds)
        except OSError as error:
            self._encoder.abandon()
            self._discard()
            raise SourceError(self._target, f"cannot be written ({error.strerror})") from error

    def _recorded(self) -> float:
        """Return where in the recording of a live stream the present frame stands, in seconds."""
        if self._tally.frames > 1:
            now = self._clock()
            self._elapsed += min(now - self._last, _LONGEST_STILL)
            self._last = now
        return self._elapsed

    def finish(self) -> None:
        try:
            self._complete()
        except OSError as error:
            raise SourceError(self._target, f"cannot be written ({error.strerror})") from error
        finally:  # a second Ctrl-C too must leave nothing
            self._discard()

    def _complete(self) -> None:
        expected = self._clip.frames
        self._encoder.finish(complete=expected is not None and self._tally.frames >= expected)
        with self._temporary.open("ab") as file:
            file.write(video_tail(self._target.suffix.lower()))
        # OpenCV does not say when it could not write, on a full disk for instance.
        if (check := open_capture(str(self._temporary.absolute()))) is None:
            raise SourceError(self._target, "could not be written whole; is the disk full?")
        check.release()
        self._let_go()
        self._temporary.replace(self._target)

    def _discard(self) -> None:
        self._let_go()
        self._temporary.unlink(missing_ok=True)

    def _let_go(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


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
