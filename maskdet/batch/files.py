"""The files of a list, wherever they lie, as sources: read ahead where a network lies between, named by their uri."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from maskdet.batch.manifest import Entry, is_video, path_of
from maskdet.batch.store import is_stored, open_filesystem
from maskdet.errors import SourceError, first_line
from maskdet.imaging.first_bytes import HEAD_BYTES, kind_of
from maskdet.imaging.limits import max_decoding_bytes
from maskdet.sources import Picture, Source
from maskdet.sources.encoded import read_encoded
from maskdet.sources.file_content import read_file
from maskdet.sources.remote import WebAddress

#: Objects that are fetched at once, and that wait at most: a store answers after tens of milliseconds.
_AT_ONCE: Final = 8
_AHEAD: Final = 16

#: Bytes of objects that wait, beside the one asked for.
_AHEAD_BYTES: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class ListedFile(Source):
    """A file of the list."""

    entry: Entry
    fetcher: Fetcher

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield its picture or frames, named by the uri, as are the errors; see ``Source.read``."""
        uri = self.entry.uri
        try:
            for picture in self._read(stride, stop):
                named = picture if picture.info.path == uri else _renamed(picture, uri)
                del picture  # else one more frame is held than the reader knows of
                yield named
                del named
        except SourceError as error:
            raise SourceError(uri, error.reason) from error

    def _read(self, stride: int, stop: threading.Event) -> Iterator[Picture]:
        uri = self.entry.uri
        if uri.lower().startswith(("http://", "https://")):
            return _read_web(uri, stride, stop)
        if is_stored(uri):
            return self._read_object(stride, stop)
        path = path_of(uri)
        return read_file(path, Path(path.name), stride=stride, stop=stop)

    def _read_object(self, stride: int, stop: threading.Event) -> Iterator[Picture]:
        uri = self.entry.uri
        name = Path(uri.rpartition("/")[2] or "object")
        data = None if is_video(uri) else self.fetcher.take(self.entry)
        if data is not None and kind_of(data[:HEAD_BYTES]).family != "video":
            yield from read_encoded(data, name=uri, shown=uri, relative=name, stride=stride, stop=stop)
            return
        del data
        with tempfile.TemporaryDirectory(prefix="maskdet-") as folder:
            copy = Path(folder) / f"video{name.suffix}"
            download(uri, copy)
            yield from read_file(copy, name, stride=stride, stop=stop)


def _renamed(picture: Picture, uri: str) -> Picture:
    return replace(picture, info=replace(picture.info, path=uri))


def _read_web(url: str, stride: int, stop: threading.Event) -> Iterator[Picture]:
    for picture in WebAddress(url).read(stride=stride, stop=stop):
        if picture.clip is not None and picture.clip.live:
            raise SourceError(url, "a stream, which never ends: record it, or use maskdet detect")
        yield picture


def fetch(entry: Entry) -> bytes:
    """Return an object's bytes.

    Raises:
        SourceError: it is not there, is larger than a picture may be, or cannot be read.
    """
    system, path = open_filesystem(entry.uri)
    with _told_of(entry.uri):
        size = system.size(path) if entry.size is None else entry.size
        if size is not None and size > max_decoding_bytes():
            raise SourceError(entry.uri, f"larger than the {max_decoding_bytes() // 1_000_000} MB read; scale it down")
        data: bytes = system.cat_file(path)
    return data


def download(uri: str, target: Path) -> None:
    """Copy an object to a file.

    Raises:
        SourceError: it is not there or cannot be read.
    """
    system, path = open_filesystem(uri)
    with _told_of(uri):
        system.get_file(path, str(target))


@contextmanager
def _told_of(uri: str) -> Generator[None]:
    """Turn what a file system raises into a ``SourceError`` of this object."""
    try:
        yield
    except FileNotFoundError:
        raise SourceError(uri, "no such file") from None
    except SourceError:
        raise
    except Exception as error:  # each file system raises its own kinds
        raise SourceError(uri, f"cannot be read ({first_line(error)})") from error


class Fetcher:
    """Fetches the objects of a list side by side, a few ahead of who takes them in order."""

    def __init__(self, entries: Sequence[Entry], pool: ThreadPoolExecutor) -> None:
        """Fetch these, with this pool's threads; nothing is fetched before one is taken."""
        self._waiting = [one for one in reversed(entries) if _is_fetched(one)]
        self._pool = pool
        self._ahead: dict[str, tuple[int, Future[bytes]]] = {}

    def take(self, entry: Entry) -> bytes:
        """Return an object's bytes, once and in the order of the list; see ``fetch``."""
        while self._waiting and (
            entry.uri not in self._ahead
            or (len(self._ahead) < _AHEAD and sum(size for size, _ in self._ahead.values()) < _AHEAD_BYTES)
        ):
            one = self._waiting.pop()
            self._ahead[one.uri] = (one.size or 0, self._pool.submit(fetch, one))
        return self._ahead.pop(entry.uri)[1].result()


def _is_fetched(entry: Entry) -> bool:
    return is_stored(entry.uri) and not is_video(entry.uri)


@contextmanager
def listed_files(entries: Sequence[Entry]) -> Generator[list[ListedFile]]:
    """Yield the sources of a shard; what is still being fetched at the end is dropped."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="maskdet-fetch") as pool:
        fetcher = Fetcher(entries, pool)
        try:
            yield [ListedFile(entry, fetcher) for entry in entries]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
