from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskdet.errors import SourceError
from maskdet.sources import Picture, Source, read, reader
from maskdet.sources.remote import LiveStream

Captures = Callable[..., None]
Threads = Callable[[], list[threading.Thread]]


def number(item: Picture | SourceError) -> int | None:
    assert isinstance(item, Picture)
    return item.info.frame


def test_order_and_errors_are_kept(tmp_path: Path, write_png: Callable[..., Path], reader_threads: Threads) -> None:
    write_png("a.png", value=1)
    (tmp_path / "b.png").write_bytes(b"")
    write_png("c.png", value=3)
    items = list(read(tmp_path))
    assert [type(item) for item in items] == [Picture, SourceError, Picture]
    assert reader_threads() == []


def test_few_frames_are_held_however_long_the_video(
    captures: Captures, fake_capture: Any, write_video: Callable[..., Path]
) -> None:
    path = write_video()
    capture = fake_capture(frames=300)
    captures(capture)
    most = 0
    for count, item in enumerate(read(str(path), ahead=4)):
        assert number(item) == count
        most = max(most, capture.held())
    # Four wait, one is in the hands of the thread, one in ours and one on its way between them.
    assert most <= 7
    assert count == 299


def test_huge_pictures_wait_one_at_a_time(
    captures: Captures, fake_capture: Any, write_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_AHEAD_BYTES", 100)  # a frame of the stand-in has 72
    path = write_video()
    capture = fake_capture(frames=100)
    captures(capture)
    most = max(capture.held() for _ in read(str(path)))
    # One waits, one is in the hands of the thread, one in ours and one on its way between them.
    assert most <= 4


def test_closing_stops_the_thread_and_releases_the_file(
    captures: Captures, fake_capture: Any, write_video: Callable[..., Path], reader_threads: Threads
) -> None:
    path = write_video()
    capture = fake_capture(frames=300)
    captures(capture)
    items = read(str(path))
    assert number(next(items)) == 0
    assert len(reader_threads()) == 1
    items.close()
    assert reader_threads() == []
    assert capture.released.is_set()
    assert capture.grabbed < 20
    assert capture.held() == 0


def test_a_live_stream_gives_the_newest_frame(captures: Captures, fake_capture: Any, reader_threads: Threads) -> None:
    capture = fake_capture(frames=None)
    captures(capture)
    items = read(LiveStream(0))
    first = number(next(items))
    assert first is not None
    seen = capture.grabbed
    while capture.grabbed < seen + 30:
        time.sleep(0.001)
    newest = number(next(items))
    assert newest is not None
    assert newest >= seen + 27
    # One waits, the thread has one; ours are gone.
    assert capture.held() <= 3
    items.close()
    assert reader_threads() == []
    assert capture.released.is_set()


def test_an_error_in_the_thread_surfaces(reader_threads: Threads) -> None:
    class Broken(Source):
        def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
            raise RuntimeError("a fault of ours")
            yield

    with pytest.raises(RuntimeError, match="a fault of ours"):
        list(read([Broken()]))
    assert reader_threads() == []


def test_a_callers_generator_runs_in_the_callers_thread(write_png: Callable[..., Path]) -> None:
    path = write_png()
    ran_in = []

    def sources() -> Iterator[Any]:
        for item in (np.zeros((2, 3, 3), np.uint8), path, str(path)):
            ran_in.append(threading.current_thread())
            yield item

    assert len(list(read(sources()))) == 3
    assert set(ran_in) == {threading.current_thread()}
