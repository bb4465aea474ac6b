"""The process around the application: its socket, its signals, and connections that say nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from maskdet.errors import MaskdetError
from maskdet.serve.settings import REQUEST_SECONDS, ServerSettings

#: Connections that may be open; the soft limit on files is raised to hold them.
MOST_CONNECTIONS: Final = 4096

#: Bytes of a request's headers.
_HEADER_BYTES: Final = 16_384


class TimedProtocol(H11Protocol):
    """HTTP whose requests must be there within a time: a connection that says little or nothing is closed."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a next request begin its time."""
        super().data_received(data)
        if self._timer is None:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._timer = self.loop.call_later(REQUEST_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        under_way = self.cycle is not None and not self.cycle.response_complete
        if under_way or self.transport.is_closing():
            return
        if self.transport.get_protocol() is self:  # else it has become a WebSocket
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
        h11_max_incomplete_event_size=_HEADER_BYTES,
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
