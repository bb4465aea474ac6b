"""Stand-ins for cameras, servers and the model, so that what they do can be counted."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from maskdet.results import ImageInfo, MaskResult, ModelInfo


class FakeCapture:
    """A capture of ``frames`` frames, frame n of brightness n modulo 256; None for one that never ends."""

    def __init__(self, frames: int | None = 5, *, opened: bool = True, count: int | None = None) -> None:
        self.frames, self.opened = frames, opened
        self.count = frames if count is None else count
        self.grabbed = 0
        self._given: list[weakref.ref[npt.NDArray[np.uint8]]] = []
        self.released = threading.Event()

    def isOpened(self) -> bool:
        return self.opened

    def set(self, prop: int, value: float) -> bool:
        return True

    def get(self, prop: int) -> float:
        known = {
            cv2.CAP_PROP_FPS: 20.0,
            cv2.CAP_PROP_FRAME_COUNT: float(self.count or -1),
            cv2.CAP_PROP_FRAME_WIDTH: 6.0,
            cv2.CAP_PROP_FRAME_HEIGHT: 4.0,
            cv2.CAP_PROP_POS_MSEC: 50.0 * (self.grabbed - 1),
        }
        return known[prop]

    def grab(self) -> bool:
        assert not self.released.is_set()
        if self.frames is None:
            time.sleep(0.001)
        elif self.grabbed >= self.frames:
            return False
        self.grabbed += 1
        return True

    def retrieve(self) -> tuple[bool, npt.NDArray[np.uint8]]:
        pixels = np.full((4, 6, 3), (self.grabbed - 1) % 256, np.uint8)
        self._given.append(weakref.ref(pixels))
        return True, pixels

    def held(self) -> int:
        """Return how many of the frames given out are still in memory."""
        return sum(given() is not None for given in self._given)

    def release(self) -> None:
        self.released.set()


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that makes OpenCV open the given captures, one after another."""

    def use(*prepared: FakeCapture) -> None:
        waiting = iter(prepared)
        monkeypatch.setattr(cv2, "VideoCapture", lambda *_: next(waiting))

    return use


@pytest.fixture
def fake_capture() -> type[FakeCapture]:
    """Return the class of stand-ins for ``cv2.VideoCapture``."""
    return FakeCapture


class StubDetector:
    """Finds nothing, at once; remembers the size of every batch."""

    workers = 1

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect_batch(
        self, images: Sequence[npt.NDArray[np.uint8]], infos: Sequence[ImageInfo], *, keep_pixels: bool = True
    ) -> list[MaskResult]:
        self.batches.append(len(images))
        model = ModelInfo("stub", 32, 0.25)
        return [
            MaskResult([], info, model, 1.0, image if keep_pixels else None)
            for info, image in zip(infos, images, strict=True)
        ]


@pytest.fixture
def stub() -> Any:
    """Return a stand-in for ``MaskDetector``."""
    return StubDetector()


Route = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server:
    """A web server on this machine; ``routes`` maps a path to what answers it, ``asked`` lists the paths asked for."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                route = outer.routes.get(self.path.partition("?")[0])
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the reader has gone
                    route(self) if route else self.send_error(404)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def serve(self, path: str, data: bytes, content_type: str | None = None, **headers: str) -> None:
        """Answer ``path`` with ``data``."""

        def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            if content_type is not None:
                handler.send_header("Content-Type", content_type)
            for name, value in ({"Content-Length": str(len(data))} | headers).items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data)

        self.routes[path] = answer

    def serve_stream(self, path: str, frames: int) -> None:
        """Answer ``path`` with a stream of JPEG pictures, picture n of brightness 20 n, that breaks off after them."""

        def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            handler.end_headers()
            for number in range(frames):
                data = cv2.imencode(".jpg", np.full((48, 64, 3), number * 20, np.uint8))[1].tobytes()
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
                handler.wfile.write(head + data + b"\r\n")

        self.routes[path] = answer

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a web server on this machine, reached without the proxies that the machine may have."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.close()


@pytest.fixture
def reader_threads() -> Callable[[], list[threading.Thread]]:
    """Return a function that lists the reading threads that are alive."""
    return lambda: [thread for thread in threading.enumerate() if thread.name == "maskdet-reader"]
