from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from maskdet.errors import SourceError
from maskdet.sources import Picture, pictures, read
from maskdet.sources.remote import LiveStream

Captures = Callable[..., None]


def test_lost_connections_are_taken_up_again(
    captures: Captures, fake_capture: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made = [fake_capture(3), fake_capture(opened=False), fake_capture(2), *(fake_capture(opened=False),) * 2]
    captures(*made)
    with caplog.at_level(logging.WARNING):
        *frames, error = pictures(LiveStream("rtsp://guard:secret@cam/live", back_off=(0, 0)))
    assert [item.info.frame for item in frames if isinstance(item, Picture)] == [0, 1, 2, 3, 4]
    assert str(error) == "rtsp://guard:***@cam/live: lost, and not back after 2 new tries"
    assert caplog.messages == ["rtsp://guard:***@cam/live: connection lost; trying again in 0 s"] * 4
    assert all(capture.released.is_set() for capture in made)


def test_webcam(captures: Captures, fake_capture: Any) -> None:
    captures(fake_capture(None))
    frames = pictures("0", stride=3)
    found = [next(frames) for _ in range(3)]
    assert all(isinstance(item, Picture) for item in found)
    assert [item.info.frame for item in found if isinstance(item, Picture)] == [0, 3, 6]
    (clip,) = {item.clip for item in found if isinstance(item, Picture)}
    assert clip is not None
    assert (clip.path, clip.live, clip.frames) == ("0", True, None)
    assert clip.fps == pytest.approx(20 / 3)
    assert re.fullmatch(r"webcam-0-\d{8}-\d{6}\.mp4", clip.relative.name)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (0, "0: cannot be opened; no camera of this index"),
        ("rtsp://a:b@cam/1", "rtsp://a:***@cam/1: cannot be opened; check address, network and password"),
    ],
)
def test_what_was_never_there_is_not_waited_for(captures: Captures, fake_capture: Any, source: Any, line: str) -> None:
    captures(fake_capture(opened=False))
    (error,) = pictures(source)
    assert isinstance(error, SourceError)
    assert str(error) == line


def test_what_answers_without_a_frame_is_not_asked_again(captures: Captures, fake_capture: Any) -> None:
    captures(fake_capture(0))
    (error,) = pictures("rtsp://cam/zeros")
    assert isinstance(error, SourceError)
    assert str(error) == "rtsp://cam/zeros: gives no frame"


def test_closing_does_not_wait_for_the_next_try(
    captures: Captures, fake_capture: Any, reader_threads: Callable[[], list[threading.Thread]]
) -> None:
    capture = fake_capture(1)
    captures(capture)
    items = read(LiveStream(0, back_off=(600,)))
    next(items)
    while not capture.released.is_set():
        time.sleep(0.001)
    items.close()
    assert reader_threads() == []


def test_a_stream_over_http_that_breaks_off_comes_back(server: Any) -> None:
    server.serve_stream("/live", frames=3)
    frames = pictures(LiveStream(server.url("/live"), back_off=(0, 0)))
    found = [next(frames) for _ in range(6)]
    levels = [round(float(item.pixels.mean()) / 20) for item in found if isinstance(item, Picture)]
    assert levels == [0, 1, 2, 0, 1, 2]
    assert [item.info.frame for item in found if isinstance(item, Picture)] == [0, 1, 2, 3, 4, 5]
    assert server.asked == ["/live", "/live"]
