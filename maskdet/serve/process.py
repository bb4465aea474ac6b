"""The process around the application: its socket, its signals, and connections that say nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from maskdet.errors import MaskdetError
from maskdet.serve.settings import REQUEST_SECONDS, ServerSettings

#: Connections that may be open; the soft limit on files is raised to hold them.
MOST_CONNECTIONS: Final = 4096

#: For so long a thread of the model may keep the interpreter while the event loop waits for it.
_SWITCH_SECONDS: Final = 0.0005

#: Bytes after which a head that has not ended is not waited for; what is too long in one that has, the gate says.
_HEADER_BYTES: Final = 65_536


class TimedProtocol(HttpToolsProtocol):
    """HTTP whose requests must come within a time, and their heads within a size; else the connection is closed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        self._began: float | None = self.loop.time()
        self._head = 0
        self._in_head = False
        self._timer: asyncio.TimerHandle | None = None
        self._expect(REQUEST_SECONDS)

    def on_message_begin(self) -> None:
        """Take the first byte of a request."""
        super().on_message_begin()
        self._began, self._in_head = self.loop.time(), True

    def on_headers_complete(self) -> None:
        """Take its head."""
        self._in_head, self._head = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take its end."""
        self._began = None
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > _HEADER_BYTES:
                self.transport.close()
        if self._timer is None and self._began is not None:
            self._expect(REQUEST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _expect(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Close where a request began long ago and has not come; one whose body is read has a time of its own."""
        self._timer = None
        if self._began is None or self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        left = REQUEST_SECONDS - (self.loop.time() - self._began)
        if left > 0:
            self._expect(left)
        elif self.cycle is not None and not self.cycle.response_complete:
            self._expect(1.0)
        else:
            self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which exits with 0 when it is told to stop, and at once when it is told again."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None], stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._told, self._stopping = started, stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals that stop a server while it runs."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._signalled) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, _frame: object) -> None:
        if self.should_exit:
            os._exit(128 + number)
        self.should_exit = True
        self._stopping()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        # Modules and models stay: the collector need not walk through them while somebody waits.
        gc.collect()
        gc.freeze()
        if not self.should_exit:
            self._told()


def run_server(
    app: ASGIApp, settings: ServerSettings, say: Callable[[str], None], stopping: Callable[[], None] = lambda: None
) -> None:
    """Serve until a signal: running requests have ``REQUEST_SECONDS`` to end.

    Args:
        app: what is served.
        settings: where.
        say: is told the address, once it is listened at.
        stopping: is called when the end begins, so that answers without an end come to theirs.

    Raises:
        MaskdetError: the address cannot be bound.
    """
    _allow_files()
    sys.setswitchinterval(_SWITCH_SECONDS)
    bound = _bind(settings.host, settings.port)
    config = uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="websockets-sansio",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="critical",  # what went wrong is logged by us, once
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=settings.max_body,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=round(REQUEST_SECONDS),
        backlog=1024,
    )
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    server = _Server(config, lambda: say(f"serving at http://{shown}:{port}"), stopping)
    with contextlib.closing(bound):
        asyncio.run(server.serve(sockets=[bound]))


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with contextlib.ExitStack() as stack:
            bound = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            stack.pop_all()  # it stays open
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise MaskdetError(f"--host {host} --port {port} cannot be bound ({reason}): name another") from error
    return bound


def _allow_files() -> None:
    """Let this process hold as many connections as it may."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + 256
    most: Any = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
