"""What servers send is told by its first bytes, undone where it is compressed, and ended in time where it is not."""

from __future__ import annotations

import gzip
import http.server
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import maskdet.sources.fetch
from maskdet.errors import SourceError
from maskdet.sources import Picture, is_single, pictures, transport
from maskdet.sources.transport import CodingError, undo_codings

Handler = http.server.BaseHTTPRequestHandler

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
DATA = cv2.imencode(".png", IMAGE)[1].tobytes()


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


def error_of(source: Any) -> str:
    (error,) = pictures(source)
    assert isinstance(error, SourceError), error
    assert "\n" not in str(error)
    return error.reason


def frames_of(source: Any) -> list[int | None]:
    found = list(pictures(source))
    assert all(isinstance(item, Picture) for item in found), found
    return [item.info.frame for item in found if isinstance(item, Picture)]


def chunked(parts: list[bytes], content: str | None = None, *, ends: bool = True) -> Callable[[Handler], None]:
    """Answer in chunks, each as one; without ``ends`` the connection breaks off within the answer."""

    def answer(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.close_connection = True
        handler.send_response(200)
        if content is not None:
            handler.send_header("Content-Type", content)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in parts:
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        if ends:
            handler.wfile.write(b"0\r\n\r\n")

    return answer


def says(text: bytes) -> Callable[[Handler], None]:
    """Answer with just these bytes."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(text)

    return answer


@pytest.mark.parametrize(
    "content", ["application/octet-stream", "binary/octet-stream", None, "text/plain", "video/mp4"]
)
def test_one_picture_whatever_it_is_called(server: Any, content: str | None) -> None:
    server.serve("/photo.php", DATA, content)
    assert frames_of(server.url("/photo.php")) == [None]
    assert server.asked == ["/photo.php"]
    server.routes["/chunked"] = chunked([DATA[:100], DATA[100:]], content)
    assert frames_of(server.url("/chunked")) == [None]


@pytest.mark.parametrize("content", ["video/mp4", "application/octet-stream", None, "image/jpeg"])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv"])
def test_a_video_of_no_stated_length_ends(
    server: Any, write_video: Callable[..., Path], name: str, content: str | None
) -> None:
    data = write_video(name, frames=4).read_bytes()
    server.routes["/clip"] = chunked([data[:300], data[300:]], content)
    assert frames_of(server.url("/clip")) == [0, 1, 2, 3]


def test_jpegs_one_behind_another_without_multipart(server: Any) -> None:
    frames = [cv2.imencode(".jpg", np.full((48, 64, 3), 20 * number, np.uint8))[1].tobytes() for number in range(5)]
    server.serve("/cam", b"".join(frames), "image/jpeg")
    server.routes["/chunked"] = chunked(frames)
    assert frames_of(server.url("/cam")) == frames_of(server.url("/chunked")) == [0, 1, 2, 3, 4]


def test_jpegs_without_an_end_are_a_stream(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maskdet.sources.fetch, "_LIVE_SECONDS", 0.05)
    frame = cv2.imencode(".jpg", np.full((48, 64, 3), 20, np.uint8))[1].tobytes()

    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(frame)
            time.sleep(0.01)

    server.routes["/cam"] = endless
    assert maskdet.sources.fetch.fetch(server.url("/cam")).what == "stream"


@pytest.mark.parametrize("ends", [True, False])
def test_a_playlist_ends_where_it_says_so(server: Any, write_video: Callable[..., Path], ends: bool) -> None:
    server.serve("/piece.ts", write_video("piece.ts", frames=5).read_bytes(), "video/mp2t")
    text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.5,\npiece.ts\n" + "#EXT-X-ENDLIST\n" * ends
    server.serve("/list.m3u8", text.encode(), "application/vnd.apple.mpegurl")
    server.serve("/all.m3u8", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n", "application/vnd.apple.mpegurl")
    for name in ("/list.m3u8", "/all.m3u8"):
        assert maskdet.sources.fetch.fetch(server.url(name)).what == ("video" if ends else "stream")
        if ends:
            assert frames_of(server.url(name)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("coding", "code"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP, identity", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("gzip", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    ],
    ids=["gzip", "x-gzip", "capitals", "zlib", "deflate", "members", "twice"],
)
def test_codings_are_undone(server: Any, coding: str, code: Callable[[bytes], bytes]) -> None:
    server.serve("/a.png", code(DATA), "image/png", **{"Content-Encoding": coding})
    (picture,) = pictures(server.url("/a.png"))
    assert isinstance(picture, Picture)
    np.testing.assert_array_equal(picture.pixels, IMAGE)


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("br", DATA, "the server sends it coded as br, which is not known here"),
        ("gzip", DATA, "the server's compressed answer is damaged"),
        ("gzip", gzip.compress(DATA)[:-200], "the server's compressed answer is cut short"),
        ("gzip, gzip, gzip", DATA, "the server sends it coded 3 times over"),
        ("gzip", gzip.compress(DATA[:33] + bytes(2**22)), "larger than 1 MB"),
        ("gzip, gzip", gzip.compress(gzip.compress(DATA[:33] + bytes(2**26))), "larger than 1 MB"),
    ],
)
def test_codings_that_cannot_be_undone(
    server: Any, monkeypatch: pytest.MonkeyPatch, coding: str, body: bytes, reason: str
) -> None:
    monkeypatch.setattr(maskdet.sources.fetch, "MAX_BYTES", 2**20)
    server.serve("/a.png", body, "image/png", **{"Content-Encoding": coding})
    assert error_of(server.url("/a.png")).startswith(reason)


def test_little_comes_out_at_a_time() -> None:
    bomb = iter([gzip.compress(bytes(2**26))])
    pieces = undo_codings(bomb, "gzip")
    assert len(next(pieces)) <= transport._PIECE
    with pytest.raises(CodingError, match="damaged"):
        list(undo_codings([b"\x78\x9c\xff\xff"], "deflate"))


MOVED = b"HTTP/1.1 302 Found\r\nLocation: "
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD + b"Content-Length: 9999\r\n\r\n" + DATA, f"cut short: {len(DATA):,} of 9,999 bytes came"),
        (HEAD + b"Content-Length: 100\r\n\r\n" + DATA, "damaged or cut short"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n" + DATA, "cut short"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFF\r\n" + DATA, "cut short"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + DATA, "cut short"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + DATA, ""),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n" + DATA, "the server's answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 5000 + b"\r\n" + DATA, "the server's answer is no HTTP"),
        (b"nonsense\r\n\r\n", "the server's answer is no HTTP"),
        (b"", "cannot be "),
        (HEAD + b"Content-Length: 0\r\n\r\n", "the server sends nothing"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", "neither a picture nor a stream (the server sends an HTML page)"),
        (MOVED + b"file:///etc/passwd\r\n\r\n", "the server redirects to an address of the kind f"),
        (MOVED + b"ftp://127.0.0.1/a\r\n\r\n", "the server redirects to an address of the kind ft"),
        (MOVED + b"/broken\r\n\r\n", "the server redirects without end, at last to /broken"),
        (MOVED + b"http://[::bad\r\n\r\n", ""),
        (b"HTTP/1.1 302 Found\r\n\r\n", "the server answers 302"),
    ],
)  # fmt: skip
def test_broken_answers_are_one_line(server: Any, text: bytes, reason: str) -> None:
    server.routes["/broken"] = says(text)
    assert error_of(server.url("/broken")).startswith(reason)


@pytest.mark.parametrize("slow", ["head", "body", "redirects"])
def test_one_deadline_for_all_of_it(server: Any, monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    monkeypatch.setattr(maskdet.sources.fetch, "DOWNLOAD_SECONDS", 0.3)
    asked: Iterator[int] = iter(range(10**6))

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        if slow == "redirects":
            time.sleep(0.05)
            handler.wfile.write(MOVED + b"/slow?%d\r\n\r\n" % next(asked))
            return
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        if slow == "body":
            handler.wfile.write(b"\r\n" + DATA[:40])
        while True:
            handler.wfile.write(b"a")
            time.sleep(0.02)

    server.routes["/slow"] = answer
    assert error_of(server.url("/slow")) == "not fetched within 0 s"


def test_a_file_by_its_address(tmp_path: Path) -> None:
    path = tmp_path / "a b%.png"
    path.write_bytes(DATA)
    for address in (
        path.as_uri(),
        path.as_uri().replace("file://", "FILE://localhost"),
        f"file:{tmp_path}/a%20b%25.png",
    ):
        assert frames_of(address) == [None]
        assert is_single(address)
    assert error_of("file://elsewhere/a.png").startswith("names a file of another machine")
    assert error_of((tmp_path / "gone.png").as_uri()) == "no such file or folder"


@pytest.mark.parametrize("address", ["concat://a|b", "subfile://a", "gopher://a/b", "data://x"])
def test_other_addresses_are_not_given_to_ffmpeg(address: str) -> None:
    assert error_of(address) == f"addresses of the kind {address.partition(':')[0]}: are not read"
