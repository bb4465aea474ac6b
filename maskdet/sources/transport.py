"""HTTP within limits: one deadline for the whole of it, and codings undone piece by piece (RFC 9110, 8.4)."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final, Self
from urllib.parse import urlsplit

#: Redirects followed: as many as browsers follow, and no more than twice to the same place.
_MOST_REDIRECTS, _MOST_REPEATS = 20, 2


class Deadline:
    """Ends every connection that is watched once the time is over; a socket's own timeout begins anew with each byte.

    Use it as a context manager.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for held in self._sockets:
                held.close()
            self._sockets.clear()

    def watch(self, connection: socket.socket) -> None:
        """End this connection in time; a copy of its handle is held, since TLS takes the socket apart."""
        with self._lock:
            self._sockets.append(socket.socket(fileno=os.dup(connection.fileno())))
        if self.expired:
            self._expire()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for held in self._sockets:
                try:
                    held.shutdown(socket.SHUT_RDWR)
                except OSError:  # it has ended already
                    continue


class RedirectError(urllib.error.URLError):
    """A redirect that is not followed; its reason is one line."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = _MOST_REDIRECTS
    max_repeats = _MOST_REPEATS

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage
    ) -> Any:
        target = headers.get("Location") or headers.get("URI") or ""
        scheme = urlsplit(target).scheme.lower()
        if scheme not in {"", "http", "https"}:
            raise RedirectError(f"the server redirects to an address of the kind {scheme}:, which is not followed")
        visited: dict[str, int] = getattr(req, "redirect_dict", {})
        if len(visited) >= self.max_redirections or any(count >= self.max_repeats for count in visited.values()):
            raise RedirectError(f"the server redirects without end, at last to {target[:200]}")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def make_opener(deadline: Deadline, *handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """Return an opener whose connections end in time; ``handlers`` are added, for passwords for instance."""

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            deadline.watch(self.sock)

    class Encrypted(http.client.HTTPSConnection, Plain):
        """Encrypts what ``Plain`` connects and has watched by then."""

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, req)

    class EncryptedHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Encrypted, req)

    return urllib.request.build_opener(PlainHandler(), EncryptedHandler(), _Redirects(), *handlers)


#: What ``read1`` is asked for at a time.
CHUNK: Final = 1 << 16


#: Both window sizes and the wrapper that begins the data, gzip's or zlib's; raw deflate has none.
_WRAPPED, _RAW = 32 + zlib.MAX_WBITS, -zlib.MAX_WBITS

#: Codings one upon another; more than two are nobody's who means well.
_MOST_CODINGS: Final = 2

#: Bytes that come out at a time.
_PIECE: Final = 1 << 16


class CodingError(ValueError):
    """A body whose coding is unknown, or that is damaged; its text is what is wrong."""


def undo_codings(parts: Iterable[bytes], header: str) -> Iterator[bytes]:
    """Yield a body as it was before the server coded it, in small pieces, so that a reader can stop at its limit.

    ``header`` is ``Content-Encoding``, empty where there is none.

    Raises:
        CodingError: a coding is not known, or the body is damaged or cut short.

    >>> b"".join(undo_codings([zlib.compress(b"face")], "deflate"))
    b'face'
    """
    names = [name for part in header.lower().split(",") if (name := part.strip()) not in {"", "identity"}]
    unknown = [name for name in names if name not in {"gzip", "x-gzip", "deflate"}]
    if unknown:
        raise CodingError(f"the server sends it coded as {unknown[0][:40]}, which is not known here")
    if len(names) > _MOST_CODINGS:
        raise CodingError(f"the server sends it coded {len(names)} times over")
    coded: Iterator[bytes] = iter(parts)
    for _ in names:
        coded = _inflated(coded)
    return coded


def _inflated(parts: Iterator[bytes]) -> Iterator[bytes]:
    inflater = None
    for part in parts:
        data = part
        while data:
            if inflater is None:
                inflater = zlib.decompressobj(_WRAPPED if _is_wrapped(data) else _RAW)
            try:
                piece = inflater.decompress(data, _PIECE)
            except zlib.error as error:
                raise CodingError("the server's compressed answer is damaged") from error
            if piece:
                yield piece
            data = inflater.unconsumed_tail
            if inflater.eof:  # another member may follow
                data, inflater = inflater.unused_data.lstrip(b"\0"), None
    if inflater is not None:
        raise CodingError("the server's compressed answer is cut short")


def _is_wrapped(start: bytes) -> bool:
    """Whether compressed data begins as gzip or zlib writes it."""
    if len(start) < 2:
        return True
    return start[:2] == b"\x1f\x8b" or (start[0] & 15 == 8 and int.from_bytes(start[:2], "big") % 31 == 0)
