from __future__ import annotations

import base64
import http.server
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import maskdet.sources.fetch
from maskdet.errors import SourceError
from maskdet.sources import Picture, pictures

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
DATA = cv2.imencode(".png", IMAGE)[1].tobytes()


def error_of(source: str) -> str:
    (error,) = pictures(source)
    assert isinstance(error, SourceError)
    return str(error)


@pytest.mark.parametrize(("path", "content_type"), [("/a.png", "image/png"), ("/photo", "image/png"), ("/a.png", None)])
def test_a_picture_by_its_type_or_ending(server: Any, path: str, content_type: str | None) -> None:
    server.serve(path, DATA, content_type)
    (picture,) = pictures(server.url(path + "?size=2"))
    assert isinstance(picture, Picture)
    np.testing.assert_array_equal(picture.pixels, IMAGE)
    assert (picture.info.path, picture.info.frame, picture.clip) == (server.url(path + "?size=2"), None, None)
    assert picture.relative == Path(path[1:])


def test_orientation_is_applied(server: Any) -> None:
    image_module = pytest.importorskip("PIL.Image")
    exif = image_module.Exif()
    exif[0x0112] = 6  # a quarter turn
    pil = image_module.fromarray(IMAGE)
    buffer = io.BytesIO()
    pil.save(buffer, "JPEG", exif=exif)
    server.serve("/a.jpg", buffer.getvalue(), "image/jpeg")
    (picture,) = pictures(server.url("/a.jpg"))
    assert isinstance(picture, Picture)
    assert (picture.info.width, picture.info.height) == (20, 30)


def test_a_stream(server: Any) -> None:
    server.serve_stream("/live", frames=3)
    frames = pictures(server.url("/live"))
    first = next(frames)
    assert isinstance(first, Picture)
    assert first.clip is not None
    assert first.clip.live
    assert first.relative.name.startswith(f"{server.host.replace(':', '-')}-live-")


def test_a_video_of_known_length_has_an_end(server: Any, write_video: Callable[..., Path]) -> None:
    server.serve("/clips/a.avi", write_video(frames=4).read_bytes(), "video/x-msvideo")
    found = list(pictures(server.url("/clips/a.avi")))
    assert [item.info.frame for item in found if isinstance(item, Picture)] == [0, 1, 2, 3]
    assert len(found) == 4
    assert isinstance(found[0], Picture)
    assert found[0].relative == Path("a.avi")


def test_user_and_password_are_sent_but_not_shown(server: Any) -> None:
    wanted = "Basic " + base64.b64encode(b"guard:s ecret").decode()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        if handler.headers["Authorization"] != wanted:
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Basic realm="cam"')
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.end_headers()
        handler.wfile.write(DATA)

    server.routes["/a"] = answer
    (picture,) = pictures(f"http://guard:s%20ecret@{server.host}/a")
    assert isinstance(picture, Picture)
    assert picture.info.path == f"http://guard:***@{server.host}/a"
    shown = error_of(f"http://guard:wrong@{server.host}/a")
    assert shown == f"http://guard:***@{server.host}/a: the server answers 401 Unauthorized"


def test_what_cannot_be_had_is_one_line(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server.serve("/page", b"<html></html>", "text/html; charset=utf-8")
    assert error_of(server.url("/page")).endswith("/page: neither a picture nor a stream (the server sends text/html)")
    assert error_of(server.url("/gone.jpg")).endswith("/gone.jpg: the server answers 404 Not Found")
    server.serve("/half.png", DATA[:500], "image/png")
    assert error_of(server.url("/half.png")).endswith("/half.png: damaged or cut short")
    server.close()
    assert error_of(server.url("/a.jpg")).endswith("/a.jpg: cannot be reached (Connection refused)")


def test_limits_of_size_and_time(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maskdet.sources.fetch, "MAX_BYTES", 2**20)
    server.serve("/told.png", DATA, "image/png", **{"Content-Length": str(2**30)})
    assert "larger than 1 MB" in error_of(server.url("/told.png"))

    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(2**16))

    server.routes["/untold.png"] = endless
    assert "larger than 1 MB" in error_of(server.url("/untold.png"))

    def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
        time.sleep(0.5)

    server.routes["/silent.png"] = silent
    monkeypatch.setattr(maskdet.sources.fetch, "NETWORK_SECONDS", 0.05)
    assert "timed out" in error_of(server.url("/silent.png"))
    monkeypatch.setattr(maskdet.sources.fetch, "NETWORK_SECONDS", 5)
    monkeypatch.setattr(maskdet.sources.fetch, "MAX_BYTES", 2**40)
    monkeypatch.setattr(maskdet.sources.fetch, "DOWNLOAD_SECONDS", 0.0)
    assert "not fetched within 0 s" in error_of(server.url("/untold.png"))
