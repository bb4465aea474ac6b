"""Web addresses: a picture, a video, or a stream, told by what the server answers."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maskdet.errors import SourceError
from maskdet.sources.content.encoded import read_encoded
from maskdet.sources.content.source import Picture, Source
from maskdet.sources.content.video import CannotOpenError, read_clip
from maskdet.sources.places.address import file_name, without_password
from maskdet.sources.places.live import LiveStream


@dataclass(frozen=True, slots=True)
class WebAddress(Source):
    """An ``http://`` or ``https://`` address.

    The first bytes of the answer decide: a picture is downloaded, a video read to its end; a playlist without an end, a
    multipart answer and raw video of no stated length are live streams.
    """

    url: str

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the picture or the frames; see ``Source.read``."""
        from maskdet.sources.places.fetch import fetch  # urllib and ssl take a while to load

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
