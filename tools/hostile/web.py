"""A web server that answers as no server should.

No stream is among its answers: a stream that breaks off is asked for again and again, for a minute and longer.
"""

from __future__ import annotations

import contextlib
import gzip
import socketserver
import threading
import zlib
from random import Random
from typing import Final

from hostile import seeds
from hostile.mutations import NUMBERS, mutate_bytes

#: Path -> the bytes that are sent, head and all.
_ANSWERS: Final[dict[str, bytes]] = {}


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            asked = self.rfile.readline(65_536).split()
            while self.rfile.readline(65_536).strip():
                pass
            self.wfile.write(_ANSWERS.get(asked[1].decode("latin-1") if len(asked) > 1 else "", b""))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of readers that leave."""


_running: list[_Server] = []


def address(random: Random) -> str:
    """Make an answer, serve it from now on, and return where."""
    if not _running:
        _running.append(_Server(("127.0.0.1", 0), _Handler))
        threading.Thread(target=_running[0].serve_forever, daemon=True).start()
    path = f"/{random.randrange(10**12)}{random.choice(('.jpg', '.mp4', '.m3u8', ''))}"
    host, port = _running[0].server_address[:2]
    _ANSWERS[path] = _answer(random, f"http://{host}:{port}{path}")
    return f"http://{host}:{port}{path}"


def _answer(random: Random, here: str) -> bytes:
    pictures = seeds.pictures()
    body = random.choice(
        (pictures[".jpg"], pictures[".png"], mutate_bytes(random, pictures[".jpg"]), b"", b"<html>", bytes(5000))
    )
    status = random.choice(
        ("HTTP/1.1 200 OK",) * 6 + ("HTTP/1.1 404 No", "HTTP/1.1 302 Found", "HTTP/9.9 999 ?", "", "x" * 70_000)
    )
    heads = [
        f"Content-Type: {random.choice(('image/jpeg', 'video/mp4', 'text/html', 'application/octet-stream', '', 'x' * 9999))}"
    ]
    way = random.randrange(11)
    if way == 0:
        heads.append(f"Content-Length: {random.choice(NUMBERS)}")
    elif way == 1:
        heads.append("Content-Encoding: gzip")
        body = random.choice(
            (gzip.compress(body), gzip.compress(body)[:-9], mutate_bytes(random, gzip.compress(body)), body)
        )
    elif way == 2:
        heads.append("Content-Encoding: gzip")
        body = (
            gzip.compress(bytes(300_000_000), 1)
            if random.random() < 0.3
            else gzip.compress(gzip.compress(bytes(10_000_000)))
        )
    elif way == 3:
        heads.append(f"Content-Encoding: {random.choice(('deflate', 'br', 'zstd', 'x', 'gzip, gzip, gzip, gzip'))}")
        body = zlib.compress(body)
    elif way == 4:
        heads.append("Transfer-Encoding: chunked")
        size = random.choice((f"{len(body):x}", "fffffffff", "-1", "zz", ""))
        body = f"{size}\r\n".encode() + body + random.choice((b"\r\n0\r\n\r\n", b"", b"\r\n5\r\nab"))
    elif way == 5:
        status = "HTTP/1.1 302 Found"
        places = (
            here,
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "//",
            "",
            "http://127.0.0.1:9/",
            "\x00",
            "http://[::1",
            "data:,x",
        )
        heads.append(f"Location: {random.choice(places)}")
    elif way == 6:
        heads += [f"X-{number}: {'y' * 500}" for number in range(random.choice((90, 200)))]
    elif way == 7:
        lines = ("file:///etc/passwd", here, "http://127.0.0.1:9/x.ts", "../" * 99, "")
        body = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{random.choice(lines)}\n#EXT-X-ENDLIST\n".encode()
        heads[0] = "Content-Type: application/vnd.apple.mpegurl"
    elif way == 8:
        body = mutate_bytes(random, random.choice(sorted(seeds.videos().values())))
    head = "\r\n".join([status, *heads, "", ""]).encode("latin-1", "replace")
    return mutate_bytes(random, head) + body if way == 9 else head + body
