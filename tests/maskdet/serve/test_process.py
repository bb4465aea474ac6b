"""The server as it is run: a process, its socket and its signals."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from maskdet.errors import MaskdetError
from maskdet.serve.process import _bind
from tests.maskdet.serve.conftest import until

#: A server as the command starts it, with a model that waits where it is told to: by a file. Another file says that a
#: request has been taken.
SLOW = """
import sys, time
from pathlib import Path
from maskdet.detector.inference import runtime
from maskdet.serve.engine import Engine
submit, taken = Engine.submit, Path(sys.argv[1] + ".taken")
def told(self, *given, reserved=False, **more):
    future = submit(self, *given, reserved=reserved, **more)
    if not reserved:  # as a camera is
        taken.touch()
    return future
Engine.submit = told
run = runtime.OnnxRuntime.__call__
def slow(self, batch):
    while Path(sys.argv[1]).exists():
        time.sleep(0.01)
    return run(self, batch)
runtime.OnnxRuntime.__call__ = slow
from maskdet.serve import process
process.REQUEST_SECONDS = 2.0
from maskdet.cli import main
main(sys.argv[2:])
"""


class Running:
    """A server in a process of its own."""

    def __init__(self, hold: Path, *words: str) -> None:
        self.hold, self.taken = hold, Path(f"{hold}.taken")
        command = [sys.executable, "-c", SLOW, str(hold), "serve", "--port", "0", *words]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = next((line for line in self.process.stderr if "serving at" in line), "")
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, "it did not start"
        self.port = int(found[1])

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, {"Content-Type": "image/jpeg"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def until_ready(self) -> None:
        while self.ask("GET", "/readyz")[0] != 200:
            time.sleep(0.02)

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)

    def until_taken(self) -> None:
        until(self.taken.exists)

    def until_closed(self) -> None:
        """Wait until nobody new is let in."""

        def refused() -> bool:
            try:
                self.raw().close()
            except ConnectionRefusedError:
                return True
            return False

        until(refused)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Return a function that starts a server; those that still run at the end are killed."""
    servers: list[Running] = []

    def start(*words: str) -> Running:
        servers.append(Running(tmp_path_factory.mktemp("serve") / "hold", *words))
        return servers[-1]

    yield start
    for server in servers:
        server.process.kill()
        server.process.communicate()


def test_requests_that_run_are_answered_before_the_end(run: Callable[..., Running], astronaut: Path) -> None:
    server = run("--stream", f"photo={astronaut}")
    server.until_ready()
    stream = server.raw()
    stream.sendall(b"GET /v1/streams/photo.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
    first = stream.recv(65536)
    while b"image/jpeg" not in first:
        first += stream.recv(65536)
    assert b"multipart/x-mixed-replace; boundary=maskdet-frame" in first

    server.hold.touch()
    answers: list[tuple[int, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(server.ask("POST", "/v1/detect", astronaut.read_bytes())))
    asking.start()
    server.until_taken()
    server.process.send_signal(signal.SIGTERM)
    server.until_closed()
    server.hold.unlink()
    asking.join(20)
    assert answers[0][0] == 200
    assert answers[0][1]["summary"]["faces"] == 1
    assert server.process.wait(20) == 0
    stream.close()


def test_a_second_signal_ends_it_at_once(run: Callable[..., Running], astronaut: Path) -> None:
    server = run()
    server.until_ready()
    server.hold.touch()
    with closing(server.raw()) as connection:
        body = astronaut.read_bytes()
        head = f"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}"
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        server.until_taken()
        server.process.send_signal(signal.SIGTERM)
        server.until_closed()
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 128 + signal.SIGTERM


def test_who_says_nothing_is_not_waited_for(run: Callable[..., Running], astronaut: Path) -> None:
    server = run()
    server.until_ready()
    starts = [b"", b"GET / HT", b"GET /healthz HTTP/1.1\r\nHost: local"]
    with ExitStack() as stack:
        silent = [stack.enter_context(closing(server.raw())) for _ in starts]
        for connection, start in zip(silent, starts, strict=True):
            connection.sendall(start)
        late = stack.enter_context(closing(server.raw()))
        late.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        told = b""
        while b"alive" not in told:  # head and body may come one after the other
            told += late.recv(65536)
        with suppress(ConnectionError):
            late.sendall(b"GET /heal")  # a second request that never comes
        for connection in (*silent, late):
            with suppress(ConnectionError):  # which ends it too
                assert connection.recv(65536) == b""
    status, told = server.ask("POST", "/v1/detect", astronaut.read_bytes())
    assert (status, told["summary"]["faces"]) == (200, 1)
    server.process.terminate()
    assert server.process.wait(20) == 0


def test_a_port_that_is_taken_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MaskdetError, match=rf"--host 127.0.0.1 --port {port} cannot be bound \(.*in use\)"):
            _bind("127.0.0.1", port)
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    monkeypatch.setattr(socket, "getaddrinfo", Mock(side_effect=unknown))  # no test asks the network's names
    with pytest.raises(MaskdetError, match=r"--host nowhere --port 80 cannot be bound \(name or service not known\)"):
        _bind("nowhere", 80)
