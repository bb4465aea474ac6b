"""Reading ahead: a thread decodes while the model runs, and never more than a few pictures wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final

from maskdet.errors import SourceError
from maskdet.sources.picture import Picture
from maskdet.sources.resolve import is_collection, is_single, pictures

#: Pictures that wait decoded: enough to hide the jitter of decoding, little enough for large photos.
AHEAD: Final = 4

#: Bytes of pixels that may wait beside the first picture, so that a folder of huge photos is read one by one.
_AHEAD_BYTES: Final = 200_000_000

#: Seconds to wait for the thread at the end. A camera that says nothing holds it longer; it then ends by itself.
_FAREWELL: Final = 2.0

Item = Picture | SourceError


def read(source: Any, *, stride: int = 1, ahead: int = AHEAD) -> Generator[Item]:
    """Yield every picture of a source, or the error in its place, decoded ahead in a thread.

    Of a live stream only the newest frame waits; older ones are dropped. Closing the generator stops the thread and
    releases cameras and files. A caller's own generator is run in the caller's thread.
    """
    if is_collection(source) and not isinstance(source, (list, tuple)):
        for item in source:
            yield from read(item, stride=stride, ahead=ahead)
    elif is_single(source) and not isinstance(source, str):
        yield from pictures(source)
    else:
        yield from _read_in_thread(lambda stop: pictures(source, stride=stride, stop=stop), ahead)


class _Shelf:
    """Where the thread puts what it has decoded and the reader takes it."""

    def __init__(self, size: int) -> None:
        self.stop = threading.Event()
        self._size = size
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._finished = self._asked = False
        self._error: BaseException | None = None

    def put(self, item: Item) -> bool:
        """Add an item, waiting for room; return False when no more are wanted.

        After a large picture it waits until the reader is done with it and asks for the next.
        """
        with self._changed:
            if _is_live(item):
                while self._items and _is_live(self._items[-1]):
                    self._items.pop()
            while self._is_full(item) and not self.stop.is_set():
                self._changed.wait()
            if self.stop.is_set():
                return False
            self._items.append(item)
            self._changed.notify_all()
            if isinstance(item, Picture) and item.is_large:
                while (self._items or not self._asked) and not self.stop.is_set():
                    self._changed.wait()
            return not self.stop.is_set()

    def _is_full(self, item: Item) -> bool:
        if not self._items:
            return False
        waiting = sum(one.pixels.nbytes for one in (*self._items, item) if isinstance(one, Picture))
        return len(self._items) >= self._size or waiting > _AHEAD_BYTES

    def finish(self, error: BaseException | None) -> None:
        """Say that no more will come, and why."""
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()

    def take(self) -> Item | None:
        """Remove the oldest item, waiting for one; return None at the end.

        Raises:
            BaseException: what ended the thread.
        """
        with self._changed:
            self._asked = True
            self._changed.notify_all()
            while not self._items and not self._finished:
                self._changed.wait(0.5)  # with a limit: on Windows Ctrl-C cannot end a wait without one
            if self._items:
                item = self._items.popleft()
                self._asked = False
                self._changed.notify_all()
                return item
        if self._error is not None:
            raise self._error
        return None

    def close(self) -> None:
        """Want no more: let go of what waits, and wake the thread."""
        with self._changed:
            self.stop.set()
            self._items.clear()
            self._changed.notify_all()


def _is_live(item: Item) -> bool:
    return isinstance(item, Picture) and item.clip is not None and item.clip.live


def _read_in_thread(start: Callable[[threading.Event], Iterator[Item]], ahead: int) -> Generator[Item]:
    shelf = _Shelf(ahead)
    # A daemon: a silent camera must not keep the process alive.
    thread = threading.Thread(target=_fill, args=(shelf, start), name="maskdet-reader", daemon=True)
    thread.start()
    try:
        while (item := shelf.take()) is not None:
            yield item
            del item  # else one more picture is held than wait and work
    finally:
        shelf.close()
        thread.join(_FAREWELL)


def _fill(shelf: _Shelf, start: Callable[[threading.Event], Iterator[Item]]) -> None:
    error: BaseException | None = None
    items = start(shelf.stop)
    try:
        for item in items:
            if not shelf.put(item):
                break
            del item
    except BaseException as caught:  # raised again where the pictures are taken
        error = caught
    finally:
        # Closed in the thread that ran it: this releases the camera or file.
        if isinstance(items, Generator):
            items.close()
        shelf.finish(error)
