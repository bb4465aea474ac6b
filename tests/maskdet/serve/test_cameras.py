from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from maskdet.alerts import parse_rule
from maskdet.alerts.monitor import AlertMonitor
from maskdet.errors import SourceError
from maskdet.results import ImageInfo, MaskResult
from maskdet.serve import cameras as module
from maskdet.serve.app import create_app
from maskdet.serve.cameras import Camera, Cameras
from maskdet.serve.engine import Engine
from maskdet.serve.settings import ServerSettings
from maskdet.sources import Clip, Picture, Source

LIVE = Clip("door", Path("door.mp4"), 20.0, None, live=True)


class Door(Source):
    """A camera that shows frames as it is told to, and is lost as often as it is told to."""

    def __init__(self, lost: int = 0) -> None:
        self.wanted = threading.Semaphore(0)
        self.lost, self.opened, self.closed = lost, 0, 0

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        self.opened += 1
        if self.opened <= self.lost:
            raise SourceError("door", "cannot be opened; check address, network and password")
        try:
            for number in range(10_000):
                while not self.wanted.acquire(timeout=0.02):
                    if stop.is_set():
                        return
                pixels = np.full((32, 64, 3), number, np.uint8)
                yield Picture(pixels, ImageInfo("door", 64, 32, number), LIVE.relative, LIVE)
        finally:
            self.closed += 1


def until(happened: Callable[[], Any]) -> Any:
    for _ in range(10_000):
        if found := happened():
            return found
        time.sleep(0.001)
    raise AssertionError("it did not come")


@pytest.fixture
def watch(make_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., TestClient]]:
    """Return a function that starts a server with one camera, ``door``."""
    monkeypatch.setattr(module, "FIRST_WAIT", 0.001)
    opened: list[TestClient] = []

    def start(door: object, **options: Any) -> TestClient:
        engine = make_engine()
        cameras = Cameras({"door": Camera("door", door, engine, **options)})  # type: ignore[arg-type]
        client = TestClient(create_app(engine, ServerSettings(), cameras), base_url="http://localhost")
        opened.append(client.__enter__())
        return client

    yield start
    for client in opened:
        client.__exit__(None, None, None)


def test_the_newest_result_and_the_counts(watch: Callable[..., TestClient]) -> None:
    door = Door()
    server = watch(door)
    first = server.get("/v1/streams/door").json()
    assert (first["state"], first["frames"], first["result"]) == ("opening", 0, None)
    for frame in range(3):
        door.wanted.release()
        until(lambda: server.get("/v1/streams/door").json()["frames"] == frame + 1)  # noqa: B023 - called at once
    found = server.get("/v1/streams/door").json()
    assert (found["state"], found["error"], found["people"]) == ("live", None, None)
    assert found["result"]["image"] == {"path": "door", "width": 64, "height": 32, "frame": 2}
    assert found["faces_seen"] == {"with_mask": 3, "without_mask": 3, "mask_weared_incorrect": 0}
    assert [one["name"] for one in server.get("/v1/streams").json()] == ["door"]
    assert server.get("/v1/streams/window").json()["detail"] == "no stream is called window"


def test_a_lost_camera_is_told_once_and_tried_again(watch: Callable[..., TestClient]) -> None:
    told: list[str] = []
    door = Door(lost=3)
    server = watch(door, say=told.append)
    until(lambda: server.get("/v1/streams/door").json()["state"] == "lost")
    until(lambda: door.opened == 4)
    door.wanted.release()
    until(lambda: server.get("/v1/streams/door").json()["state"] == "live")
    reason = "door: cannot be opened; check address, network and password"
    assert told == [f"stream door: {reason}; trying again", "stream door: back"]


def test_alerts_look_at_every_frame(watch: Callable[..., TestClient]) -> None:
    told: list[str] = []
    door = Door()
    watch(door, alerts=AlertMonitor([parse_rule("without_mask>=1")], [], told.append))
    door.wanted.release()
    until(lambda: told)
    assert told == ["alert: without_mask>=1 (without_mask is 1) in door, frame 0"]


def test_people_are_told_apart(watch: Callable[..., TestClient]) -> None:
    pytest.importorskip("trackers")
    from maskdet.tracking.face_tracker import FaceTracker

    door = Door()
    server = watch(door, tracker=FaceTracker())
    for frame in range(4):
        door.wanted.release()
        until(lambda: server.get("/v1/streams/door").json()["frames"] == frame + 1)  # noqa: B023 - called at once
    # SureOfMasks gives two answers on one face, of which the tracker takes the surer.
    assert server.get("/v1/streams/door").json()["people"] == {
        "people": 1,
        "counts": {"with_mask": 1, "without_mask": 0, "mask_weared_incorrect": 0},
        "compliance": 1.0,
    }


def test_one_camera_is_read_once_however_many_watch(make_engine: Callable[..., Engine]) -> None:
    import asyncio

    door, engine = Door(), make_engine()
    camera = Camera("door", door, engine)  # type: ignore[arg-type]

    async def watch() -> list[bytes]:
        engine.start()
        camera.start()
        viewers = [camera.parts() for _ in range(3)]
        asked = [asyncio.ensure_future(anext(viewer)) for viewer in viewers]
        while camera.facts()["viewers"] < 3:
            await asyncio.sleep(0.001)
        door.wanted.release()
        parts = list(await asyncio.gather(*asked))
        waiting = asyncio.ensure_future(anext(viewers[0], None))
        await asyncio.sleep(0)
        camera.stop()
        assert await waiting is None  # the end of the server is the end of the stream
        for viewer in viewers:
            await viewer.aclose()
        return parts

    first, second, third = asyncio.run(asyncio.wait_for(watch(), 20))
    engine.stop()
    assert first == second == third
    head, _, body = first.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[:2] == [b"--maskdet-frame", b"Content-Type: image/jpeg"]
    length = int(head.rpartition(b": ")[2])
    assert cv2.imdecode(np.frombuffer(body[:length], np.uint8), cv2.IMREAD_COLOR).shape == (32, 64, 3)
    assert body[length:] == b"\r\n"
    assert door.opened == 1
    assert camera.facts()["viewers"] == 0


def test_a_file_is_shown_again_and_again(watch: Callable[..., TestClient], write_video: Callable[..., Path]) -> None:
    server = watch(str(write_video(frames=3, fps=100)))
    found = until(lambda: (told := server.get("/v1/streams/door").json())["frames"] > 6 and told)
    assert found["state"] == "live"
    assert found["result"]["image"]["frame"] in {0, 1, 2}


def test_a_file_that_opens_slowly_is_shown_from_its_first_frame(make_engine: Callable[..., Engine]) -> None:
    clip = Clip("film", Path("film.mp4"), 100.0, 3, live=False)

    def read() -> Iterator[Picture]:
        time.sleep(0.1)  # ten times as long as a frame is shown
        for number in range(3):
            yield Picture(np.zeros((8, 8, 3), np.uint8), ImageInfo("film", 8, 8, number), clip.relative, clip)

    first = next(Camera("film", "film.mp4", make_engine())._paced(read()))
    assert isinstance(first, Picture)
    assert first.info.frame == 0


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_ends_lets_its_camera_go(make_engine: Callable[..., Engine]) -> None:
    """The frame that waits is cancelled: no error, nothing said, no further try."""
    told: list[str] = []
    door, engine = Door(), make_engine()  # never started: the frame waits
    camera = Camera("door", door, engine, say=told.append)  # type: ignore[arg-type]
    camera.start()
    door.wanted.release()
    until(lambda: engine.load == (1, 0))
    camera.stop()
    engine.stop()
    camera._thread.join(10)
    assert not camera._thread.is_alive()
    assert (told, door.opened, door.closed) == ([], 1, 1)


def test_a_frame_that_fails_costs_no_further_ones(watch: Callable[..., TestClient]) -> None:
    class Fails(AlertMonitor):
        def check(self, result: MaskResult) -> None:
            super().check(result)
            if len(told) == 1:
                raise RuntimeError("secret path /home/somebody")

    told: list[str] = []
    door = Door()
    server = watch(door, alerts=Fails([parse_rule("without_mask>=1")], [], told.append), say=told.append)
    door.wanted.release()
    until(lambda: server.get("/v1/streams/door").json()["state"] == "lost")
    assert "somebody" not in server.get("/v1/streams/door").text
    door.wanted.release()
    until(lambda: server.get("/v1/streams/door").json()["state"] == "live")
    assert told[1:] == [
        "stream door: this should not have happened; the server's log says what did; trying again",
        "stream door: back",
    ]
