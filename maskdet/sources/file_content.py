"""Reading a file by what it holds: a picture, a video, or the frames of a recording, whatever its name."""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Final

from maskdet.errors import SourceError
from maskdet.files.opening import open_file, open_without_waiting, what_it_is
from maskdet.files.paths import VIDEO_SUFFIXES
from maskdet.imaging import jpeg
from maskdet.imaging.decode import decode_bytes, read_rest
from maskdet.imaging.first_bytes import HEAD_BYTES, Kind, kind_of
from maskdet.imaging.limits import MAX_ENCODED_BYTES, MAX_FRAME_BYTES, max_decoding_bytes
from maskdet.results import ImageInfo
from maskdet.sources.picture import Picture
from maskdet.sources.video import read_clip

#: Seconds that a pipe may stay without a writer: one that was started beside us has yet to open it.
_WRITER_SECONDS: Final = 1.0

#: Seconds that a pipe may stay silent, as a server may.
_SILENT_SECONDS: Final = 10.0


def read_file(path: Path, relative: Path, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
    """Yield the picture or the frames that a file, or a pipe that somebody writes an encoded picture to, holds.

    Raises:
        SourceError: it is no file, or holds neither a picture nor a video that can be read.
    """
    name = str(path)
    try:
        with open_without_waiting(path) as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISFIFO(mode):
                from maskdet.sources.encoded import read_encoded

                data = _read_pipe(file, path)
                yield from read_encoded(data, name=name, shown=name, relative=relative, stride=stride, stop=stop)
                return
            if not stat.S_ISREG(mode):
                raise SourceError(path, f"not a file, but {what_it_is(mode)}")
            head = file.read(HEAD_BYTES)
            kind = _checked(kind_of(head), head, path)
            file.seek(0)
            content = _read_at_once(file, path) if kind.family == "picture" else None
            if kind.family == "frames" or (kind.name == "JPEG" and _is_recording(file, content)):
                from maskdet.sources.encoded import read_recording

                file.seek(0)
                yield from read_recording(file.read, name=name, relative=relative, stride=stride, stop=stop)
                return
            if kind.family == "picture":
                pixels = decode_bytes(read_rest(file, path) if content is None else content, path)
                content = None  # else the file is held as long as its picture
                yield Picture(pixels, ImageInfo(name, pixels.shape[1], pixels.shape[0]), relative)
                return
    except FileNotFoundError:
        raise SourceError(path, "no such file") from None
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})") from error
    # Absolute, because FFmpeg takes what stands before a colon for a protocol.
    yield from read_clip(str(path.absolute()), name=name, relative=relative, stride=stride, stop=stop)


def file_kind(path: Path) -> Kind | None:
    """Tell what a file holds; None where it is no file or cannot be read. A pipe can be opened once only."""
    try:
        if not path.is_file():
            return None
        with open_file(path) as file:
            return kind_of(file.read(HEAD_BYTES))
    except (OSError, ValueError, SourceError):
        return None


def _read_at_once(file: FileIO, path: Path) -> bytes | None:
    """Return a file's bytes; None where it is larger than what is to be held before it is known for one picture."""
    small = os.fstat(file.fileno()).st_size <= min(MAX_FRAME_BYTES, max_decoding_bytes())
    return read_rest(file, path) if small else None


def _is_recording(file: FileIO, data: bytes | None) -> bool:
    """Whether the JPEG that a file, at its beginning before and after, begins with is followed by others."""
    if data is not None:
        return jpeg.is_recording(data)
    try:
        return jpeg.is_recording(file.read(min(os.fstat(file.fileno()).st_size, MAX_FRAME_BYTES)))
    finally:
        file.seek(0)


def _checked(kind: Kind, head: bytes, path: Path) -> Kind:
    """Return the kind of a picture or video."""
    if not head:
        raise SourceError(path, "the file is empty (0 bytes)")
    if kind.family in {"picture", "video", "frames"}:
        return kind
    what = "video" if path.suffix.lower() in VIDEO_SUFFIXES else "picture"
    if kind.name == "unknown data" and what == "video":
        raise SourceError(path, "damaged, or not a video that can be read")
    raise SourceError(path, f"not a {what} that can be read, but {kind.name}")


def _read_pipe(file: FileIO, path: Path) -> bytes:
    """Read a pipe to its end, in which somebody must be writing."""
    if sys.platform == "win32":  # where pipes have no paths
        raise SourceError(path, "not a file, but a pipe")
    import select

    from maskdet.sources.encoded import read_up_to

    begun = time.monotonic()
    ready = select.poll()
    ready.register(file.fileno(), select.POLLIN)

    def read(size: int) -> bytes:
        nonlocal begun
        while True:
            part = file.read(size)
            if part is None:  # there is a writer, who has written nothing more yet
                if not ready.poll(_SILENT_SECONDS * 1000):
                    raise SourceError(path, f"a pipe in which nothing came for {_SILENT_SECONDS:g} s")
                begun = -1.0
            elif part or begun < 0:
                begun = -1.0
                return part
            elif time.monotonic() - begun > _WRITER_SECONDS:
                raise SourceError(path, "not a file, but a pipe that nobody writes to")
            else:
                time.sleep(0.01)

    data = read_up_to(read, MAX_ENCODED_BYTES, str(path))
    if not data:
        raise SourceError(path, "a pipe in which nothing came")
    return data
