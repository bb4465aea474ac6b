"""Hostile requests to ``maskdet serve``: made by number, sent as raw bytes, and what came back judged.

While they are sent, idle sockets stay open and ``/healthz`` is asked again and again.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from hostile.mutations import NUMBERS, ODD, mutate_bytes, mutate_text
from hostile.seeds import bombs, pictures

#: Seconds after which a request that has no end is a fault.
HANG: Final = 20.0

_KINDS: Final = (
    "image/jpeg",
    "image/png",
    "application/octet-stream",
    "application/json",
    "text/html",
    "",
    "image/" + "x" * 200,
)

#: Bytes, and seconds waited behind them.
Pieces = list[tuple[bytes, float]]


def _request(
    path: str = "/v1/detect", body: bytes = b"", *, method: str = "POST", host: str = "localhost", **headers: str
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    given = {"Content-Type": "image/jpeg", "Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines += [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


def _good(random: Random) -> bytes:
    return random.choice([data for ending, data in sorted(pictures().items()) if ending in {".jpg", ".png", ".bmp"}])


def _bytes(random: Random) -> Pieces:
    return [
        (_request(body=random.randbytes(random.choice((1, 10, 1000, 100_000))), Content_Type=random.choice(_KINDS)), 0)
    ]


def _mutated(random: Random) -> Pieces:
    every = sorted(pictures().items())
    return [(_request(body=mutate_bytes(random, random.choice(every)[1], [data for _, data in every])), 0)]


def _cut(random: Random) -> Pieces:
    data = _good(random)
    return [(_request(body=data[: random.randrange(len(data))]), 0)]


def _bomb(random: Random) -> Pieces:
    return [(_request(body=random.choice(sorted(bombs().items()))[1]), 0)]


def _length(random: Random) -> Pieces:
    """Say a length that is not the body's: too short, too long, none, several, or no number."""
    data = _good(random)
    wrong = random.choice(
        [str(len(data) // 2), str(len(data) + 10), "0", "-1", "1e3", "0x10", "9" * 30, "+5", " ", "20000001", "5, 6"]
    )
    whole = _request(body=data, Content_Length=wrong)
    if random.random() < 0.3:
        whole = whole.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n", 1)
    return [(whole, 0)]


def _chunks(random: Random) -> Pieces:
    data = _good(random)
    size = random.choice(
        [f"{len(data):x}", "0", "-1", "zz", "f" * 20, "5;" + "x" * 300, f"{len(data) + 9:x}", "00000000001"]
    )
    body = size.encode() + b"\r\n" + data + b"\r\n" + random.choice([b"0\r\n\r\n", b"", b"0\r\nX: y\r\n\r\n"])
    more = {"Content_Length": random.choice(["", "", "5"])}
    if random.random() < 0.2:
        body = b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n"
    return [(_request(body=body, Transfer_Encoding=random.choice(["chunked", "gzip, chunked", "xchunked"]), **more), 0)]


def _headers(random: Random) -> Pieces:
    name = random.choice(
        ["Accept", "Content-Type", "X-API-Key", "Authorization", "Cookie", "Expect", "Content-Encoding"]
    )
    value = random.choice(
        [
            *ODD,
            "x" * 20_000,
            "Basic " + "A" * 99,
            "100-continue",
            "gzip",
            "image/jpeg;" * 500,
            "multipart/form-data",
            "Bearer",
        ]
    )
    host = random.choice(
        ["localhost", "evil.example", "", "localhost, evil", "[::1", "localhost:99999999", "x" * 5000, "a b"]
    )
    whole = _request(body=_good(random), host=host)
    line = f"{name}: {value}\r\n".encode("utf-8", "surrogatepass") * random.choice((1, 1, 2, 300))
    if random.random() < 0.2:
        return [(whole[:20] + b"\x00" + whole[20:], 0)]
    return [(whole.replace(b"Connection", line + b"Connection", 1), 0)]


def _paths(random: Random) -> Pieces:
    path = random.choice(
        [
            "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/..\\..\\etc", "//etc/passwd", "/%00",
            "/docs/../../x", "/docs/%2e%2e%2fstart.js", "/" + "a" * 30_000, "http://evil.example/v1/detect", "*", "",
            "/v1/streams/%2e%2e", "/v1/streams/\u00e9", "/v1/streams/" + "%F0" * 40, "/v1/detect/", "/v1//detect", "/%", "/?%",
            "/v1/detect?" + "a=b&" * 3000, "/v1/models#x", "/v1/live", "/page/../app.py", "/index.html/..", "/v1/schema?x=1",
        ]
    )  # fmt: skip
    method = random.choice(
        ["GET", "POST", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PUT", "DELETE", "PATCH", "BREW", "get"]
    )
    return [(_request(path, method=method), 0)]


def _query(random: Random) -> Pieces:
    names = ["conf", "iou", "imgsz", "tile", "close_ups", "augment", "agnostic_nms", "mode", "url", "file", "\u00e9"]
    values = [*NUMBERS, *ODD, "8192", "32", "true", "chain", "f1", "http://10.0.0.1/"]
    pairs = [f"{random.choice(names)}={random.choice(values)}" for _ in range(random.choice((1, 1, 2, 5)))]
    query = "&".join(pairs).replace(" ", "+").replace("\n", "%0a").replace("\r", "%0d")
    return [(_request(f"/v1/{random.choice(['detect', 'classify'])}?{query}", _good(random)), 0)]


def _form(random: Random) -> Pieces:
    name = random.choice(["a.jpg", "../../a.jpg", "a\r\nX: y", "\x00", "x" * 9000, '"', "\u202e.gpj", ""])
    part = f'--seam\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = (part + _good(random) + b"\r\n") * random.choice((1, 1, 3, 80)) + b"--seam--\r\n"
    if random.random() < 0.6:
        body = mutate_bytes(random, body)
    kind = random.choice(
        ["multipart/form-data; boundary=seam"] * 4 + ["multipart/form-data", "multipart/mixed; boundary=seam"]
    )
    path = random.choice(["/v1/detect", "/v1/vision/detection", "/api/v1/detection/detect?face_plugins=mask"])
    return [(_request(path, body, Content_Type=kind), 0)]


def _json(random: Random) -> Pieces:
    packed = base64.b64encode(random.choice([_good(random), random.choice(sorted(bombs().items()))[1]])).decode()
    text = json.dumps({"image": packed, "tasks": [{"data": {"i": "http://10.0.0.1/"}}], "label_config": "<View/>"})
    body = random.choice(
        [
            text.encode(), mutate_text(random, text), b"[" * 300_000, b'{"image":' * 20_000, b'{"image": 1e999}', b'{"image": null}',
            b'{"image": "\\ud800"}', b"{}" * 3, b'{"image": "' + b"A" * 300_000 + b'"}', b"\xff\xfe{\x00}\x00", b"1" * 100_000,
        ]
    )  # fmt: skip
    path = random.choice(["/v1/detect", "/v1/detect", "/predict", "/setup"])
    return [(_request(path, body, Content_Type="application/json"), 0)]


def _slow(random: Random) -> Pieces:
    """Little by little, or not to the end."""
    whole = _request(body=_good(random))
    step = max(1, len(whole) // random.choice((2, 5, 30)))
    pieces = [(whole[at : at + step], random.choice((0.0, 0.3, 1.0))) for at in range(0, len(whole), step)]
    return pieces[: random.randrange(1, len(pieces) + 1)]


def _leaves(random: Random) -> Pieces:
    whole = _request(body=_good(random))
    return [(whole[: random.randrange(len(whole))], 0), (b"", -1)]


def _socket(random: Random) -> Pieces:
    """Open a WebSocket: a handshake, whole or not, and frames that nobody expects."""
    key = base64.b64encode(random.randbytes(16)).decode()
    shake = {"Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": key, "Content_Length": ""}
    if random.random() < 0.4:
        shake[random.choice(sorted(shake))] = random.choice(["", "x", "99"])
    query = random.choice(["", "?conf=2", "?track=true", "?x=1"])
    opened = _request(f"/v1/live{query}", method="GET", **shake).replace(b"Connection: close", b"Connection: Upgrade")
    data = random.choice([_good(random), random.randbytes(300), b""])
    head = random.choice([0x82, 0x81, 0x02, 0x88, 0x89, 0xF2, 0x83])
    size = (
        bytes([0x80 | len(data)])
        if len(data) < 126
        else b"\xfe" + len(data).to_bytes(2, "big", signed=False)
        if len(data) < 65536
        else b"\xff" + bytes(8)
    )
    frame = random.choice(
        [bytes([head]) + size + bytes(4) + data, bytes([head]) + b"\xff" + b"\x7f" * 8, random.randbytes(50)]
    )
    return [(opened, 0.2), (frame, 0.5), (b"", -1)]


def _valid(random: Random) -> Pieces:
    return [(_request(body=_good(random)), 0)]


CASES: Final[dict[str, Callable[[Random], Pieces]]] = {
    "bytes": _bytes, "mutated": _mutated, "cut": _cut, "bomb": _bomb, "length": _length, "chunks": _chunks, "headers": _headers,
    "paths": _paths, "query": _query, "form": _form, "json": _json, "slow": _slow, "leaves": _leaves, "socket": _socket,
    "valid": _valid,
}  # fmt: skip


@dataclass(slots=True)
class Attack:
    """What came of an attack."""

    sent: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    idle_sockets: int = 0
    health: list[float] = field(default_factory=list)
    memory_before: int = 0
    memory_after: int = 0

    def line(self) -> str:
        """Return it as one line."""
        health = sorted(self.health) or [0.0]
        worst, most = health[-1] * 1000, health[int(0.99 * (len(health) - 1))] * 1000
        return (
            f"{self.sent} requests beside {self.idle_sockets} idle sockets: {len(self.faults)} faults, answers "
            f"{dict(sorted(self.codes.items()))}, slowest {self.slowest[0]:.1f} s ({self.slowest[1]}); /healthz asked "
            f"{len(self.health)} times, 99 of 100 within {most:.0f} ms, slowest {worst:.0f} ms; memory {self.memory_before >> 20} MB idle, "
            f"{self.memory_after >> 20} MB after"
        )


def send(port: int, case: str) -> tuple[str, float]:
    """Send one case, ``KIND NUMBER``, and return the status that came back (or none) and the seconds it took."""
    kind, _, _ = case.partition(" ")
    pieces = CASES[kind](Random(case))
    start, told = time.monotonic(), b""
    connection = socket.create_connection(("127.0.0.1", port), timeout=HANG)
    with closing(connection), suppress(ConnectionError, TimeoutError):
        for data, wait in pieces:
            if wait < 0:
                return "left", time.monotonic() - start
            connection.sendall(data)
            time.sleep(wait)
        while time.monotonic() - start < HANG + 1 and (part := connection.recv(65536)):
            told = (told + part)[:2000]
    return _status(told), time.monotonic() - start


def _status(told: bytes) -> str:
    found = re.match(rb"HTTP/1\.1 (\d{3})", told)
    return found[1].decode() if found else "closed"


#: Asks how the server is until standard input ends, and prints the seconds of each answer.
_ASK: Final = """
import select, socket, sys, time
asked = b"GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n"
while not select.select([sys.stdin], [], [], 0.05)[0]:
    start, told = time.perf_counter(), b""
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20) as connection:
            connection.sendall(asked)
            told = connection.recv(65536)
    except OSError:
        pass
    print(time.perf_counter() - start if told.startswith(b"HTTP/1.1 200") else "none", flush=True)
"""


def memory(process: int) -> int:
    """Return the bytes that a process has in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def attack(port: int, process: int, *, count: int, idle: int, workers: int = 16) -> Attack:
    """Send ``count`` cases, kinds in turn, beside ``idle`` sockets that say nothing.

    Args:
        port: of the server, on this machine.
        process: its id.
        count: cases.
        idle: sockets, opened again where the server closes them.
        workers: requests at once.
    """
    found = Attack(memory_before=memory(process))
    cases = [f"{kind} {number}" for number in range(-(-count // len(CASES))) for kind in CASES][:count]

    def one(case: str) -> None:
        try:
            status, seconds = send(port, case)
        except OSError as error:
            status, seconds = f"refused ({error})", 0.0
        found.sent += 1
        found.codes[status] += 1
        found.slowest = max(found.slowest, (seconds, case))
        if (status.startswith("5") and status != "503") or seconds > HANG or status.startswith("refused"):
            found.faults.append(f"{case}: {status} after {seconds:.1f} s")
        if case.startswith("valid") and status not in {"200", "503"}:
            found.faults.append(f"{case}: {status}")

    with _idle_sockets(port, idle) as sockets:
        found.idle_sockets = len(sockets)
        # In a process of its own, whose times say nothing of how busy this one is.
        command = [sys.executable, "-S", "-c", _ASK, str(port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(one, cases))
            told, _ = asking.communicate()
    for line in told.splitlines():
        if line == "none":
            found.faults.append("/healthz did not answer")
        else:
            found.health.append(float(line))
    time.sleep(1.0)
    found.memory_after = memory(process)
    return found


@contextmanager
def _idle_sockets(port: int, count: int) -> Iterator[list[socket.socket]]:
    sockets = []
    try:
        for _ in range(count):
            sockets.append(socket.create_connection(("127.0.0.1", port), timeout=HANG))
        yield sockets
    finally:
        for each in sockets:
            each.close()


@contextmanager
def serving(*words: str) -> Iterator[tuple[int, int]]:
    """Start ``maskdet serve``, wait until it is ready, and yield its port and process id."""
    command = [sys.executable, "-m", "maskdet", "serve", "--port", "0", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            line = next((line for line in server.stderr if "serving at" in line), "")
            port = int(line.strip().rpartition(":")[2])
            threading.Thread(target=server.stderr.read, daemon=True).start()
            ready = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            for _ in range(600):
                with closing(socket.create_connection(("127.0.0.1", port))) as asking:
                    asking.sendall(ready)
                    if asking.recv(100).startswith(b"HTTP/1.1 200"):
                        break
                time.sleep(0.05)
            yield port, server.pid
        finally:
            server.kill()
