"""What is elsewhere: cameras, network streams, and what a web address answers."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from maskdet.errors import SourceError
from maskdet.results import ImageInfo
from maskdet.sources.address import file_name, without_password
from maskdet.sources.encoded import read_encoded
from maskdet.sources.picture import Clip, Picture, Source
from maskdet.sources.video import CannotOpenError, frame_rate, open_capture, read_clip

#: Seconds waited before each new try after a lost connection; after the last one the stream is given up (65 s in all).
BACK_OFF: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0, 10.0)


class LiveStream(Source):
    """A webcam, by its index, or a network stream, by its URL.

    Frames are numbered as they arrive, so that gaps in ``ImageInfo.frame`` show what was dropped.
    """

    endless: ClassVar[bool] = True

    def __init__(self, address: int | str, *, back_off: Sequence[float] | None = None) -> None:
        """Name a webcam by index, or an address; ``back_off``: seconds before each new try after a loss."""
        self._address = address
        self._back_off = back_off
        self.name = str(address) if isinstance(address, int) else without_password(address)

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield frames until ``stop``; see ``Source.read``."""
        import logging  # where it is written to, not where every process starts

        log = logging.getLogger(__name__)
        capture = open_capture(self._address)
        if capture is None:
            hint = (
                "no camera of this index" if isinstance(self._address, int) else "check address, network and password"
            )
            raise SourceError(self.name, f"cannot be opened; {hint}")
        clip = Clip(self.name, self._file_name(), frame_rate(capture) / stride, None, live=True)
        waits = BACK_OFF if self._back_off is None else self._back_off
        index = failures = 0
        try:
            while not stop.is_set():
                if capture is not None and capture.grab():
                    if index % stride == 0:
                        read, pixels = capture.retrieve()
                        if read:
                            height, width = pixels.shape[:2]
                            yield Picture(pixels, ImageInfo(self.name, width, height, index), clip.relative, clip)
                            del pixels
                    index += 1
                    failures = 0
                    continue
                if capture is not None:
                    capture.release()
                if index == 0 and isinstance(self._address, str):
                    # It answers, with what is no stream: asking again would not help.
                    raise SourceError(self.name, "gives no frame")
                if failures == len(waits):
                    raise SourceError(self.name, f"lost, and not back after {failures} new tries")
                log.warning("%s: connection lost; trying again in %g s", self.name, waits[failures])
                if stop.wait(waits[failures]):
                    return
                failures += 1
                capture = open_capture(self._address)
        finally:
            if capture is not None:
                capture.release()

    def _file_name(self) -> Path:
        """Return the name of a recording that starts now: what is recorded, and the local time."""
        address = self._address
        what = f"webcam-{address}" if isinstance(address, int) else file_name(address, whole=True)
        return Path(f"{what}-{time.strftime('%Y%m%d-%H%M%S')}.mp4")


@dataclass(frozen=True, slots=True)
class WebAddress(Source):
    """An ``http://`` or ``https://`` address.

    The first bytes of the answer decide: a picture is downloaded, a video read to its end; a playlist without an end, a
    multipart answer and raw video of no stated length are live streams.
    """

    url: str

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the picture or the frames; see ``Source.read``."""
        from maskdet.sources.fetch import fetch  # urllib and ssl take a while to load

        name = without_password(self.url)
        fetched = fetch(self.url)
        file = Path(file_name(self.url))
        if fetched.what == "encoded":
            yield from read_encoded(fetched.data, name=name, shown=name, relative=file, stride=stride, stop=stop)
        elif fetched.what == "stream":
            yield from LiveStream(self.url).read(stride=stride, stop=stop)
        else:
            try:
                yield from read_clip(self.url, name=name, relative=file, stride=stride, stop=stop)
                return
            except CannotOpenError:
                if fetched.has_length:
                    raise
            # What stands at its end (an MP4's index) cannot be had first where the server gives no ranges.
            data = fetch(self.url, whole=True).data
            with tempfile.TemporaryDirectory(prefix="maskdet-") as folder:
                copy = Path(folder) / "video"
                try:
                    copy.write_bytes(data)
                except OSError as error:
                    raise SourceError(name, f"cannot be kept while it is read ({error.strerror})") from error
                yield from read_clip(str(copy), name=name, relative=file, stride=stride, stop=stop)
