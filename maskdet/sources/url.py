"""Web addresses: a picture, a video, or a stream, told by what the server answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maskdet.decode import decode_bytes
from maskdet.results import ImageInfo
from maskdet.sources.address import file_name, without_password
from maskdet.sources.live import LiveStream
from maskdet.sources.picture import Picture, Source
from maskdet.sources.video import read_clip


@dataclass(frozen=True, slots=True)
class WebAddress(Source):
    """An ``http://`` or ``https://`` address.

    The server's content type decides, the address' ending where the type says nothing: a picture is downloaded; a video
    of stated length is read to its end; anything else is a live stream.
    """

    url: str

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the picture or the frames; see ``Source.read``."""
        from maskdet.sources.fetch import fetch  # urllib and ssl take a while to load

        name = without_password(self.url)
        kind, data = fetch(self.url)
        file = file_name(self.url)
        if kind == "picture":
            pixels = decode_bytes(data, name)
            yield Picture(pixels, ImageInfo(name, pixels.shape[1], pixels.shape[0]), Path(file))
        elif kind == "video":
            yield from read_clip(self.url, name=name, relative=Path(file), stride=stride, stop=stop)
        else:
            yield from LiveStream(self.url).read(stride=stride, stop=stop)
