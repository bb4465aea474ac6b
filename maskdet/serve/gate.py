"""What every request passes first: its host, its origin, its key, its pace; and the headers that every answer bears."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maskdet.serve.problems import ProblemError
from maskdet.serve.settings import ServerSettings

#: Nothing is loaded from elsewhere; a picture that was dropped is a blob, and WebAssembly is no script of a stranger.
CONTENT_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

#: Bytes of a request's address, and of its headers.
_MOST_ADDRESS: Final = 8_192
_MOST_HEADERS: Final = 16_384

#: Addresses whose pace is remembered.
_MOST_ADDRESSES: Final = 10_000

#: Paths that ask for their key themselves, since it comes in the body.
KEY_IN_BODY: Final = ("/v1/vision/",)

#: The subprotocol of ``/v1/live``, and what a key begins with that comes as a second one: pages can send no header.
LIVE_PROTOCOL: Final = "maskdet"
KEY_PROTOCOL: Final = "maskdet.key."


class Keys:
    """Compares keys in a time that does not depend on them.

    >>> keys = Keys(["secret"])
    >>> keys.fit("secret"), keys.fit("Secret"), Keys([]).fit(None)
    (True, False, True)
    """

    def __init__(self, keys: Iterable[str]) -> None:
        """Take the keys that fit; without any everything does."""
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def fit(self, given: str | None) -> bool:
        """Whether a key is one of them."""
        digest = hashlib.sha256((given or "").encode(errors="surrogateescape")).digest()
        # Every one is compared, whichever fits.
        return not self._digests or sum(hmac.compare_digest(digest, one) for one in self._digests) > 0


def key_of(headers: Headers) -> str | None:
    """Return the key that a request bears: ``Bearer``, the password of ``Basic``, ``X-API-Key``, or a subprotocol."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        return _unpacked(value).partition(":")[2]
    if "x-api-key" in headers:
        return headers["x-api-key"]
    for offered in headers.get("sec-websocket-protocol", "").split(","):
        if offered.strip().startswith(KEY_PROTOCOL):
            packed = offered.strip().removeprefix(KEY_PROTOCOL)
            return _unpacked(packed.replace("-", "+").replace("_", "/") + "=" * (-len(packed) % 4))
    return None


def _unpacked(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


class Hosts:
    """The names by which a server may be called.

    A page of a stranger can let a name of its own lead to this machine (DNS rebinding), but not an address: any address
    will do, and of names only those that are known.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Take names beside ``localhost`` and the machine's own."""
        self._names = {"localhost", socket.gethostname().lower(), *(name.lower() for name in names)}

    def known(self, host: str) -> bool:
        """Whether a ``Host`` header is of this server."""
        found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:/?#@\s]+)(:\d{1,5})?", host)
        if found is None:
            return False
        name = found[1].lower()
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return name.rstrip(".") in self._names
        return True


class Pace:
    """Lets each address send so many requests a second, and as many at once.

    >>> now = [0.0]
    >>> pace = Pace(2, clock=lambda: now[0])
    >>> [pace.wait("a") for _ in range(3)]
    [0.0, 0.0, 0.5]
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Let ``rate`` requests a second of ``clock`` pass."""
        self._rate, self._burst, self._clock = rate, max(1.0, rate), clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return 0 and count a request, or the seconds after which it may come again."""
        now = self._clock()
        left, then = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        passes = left >= 1
        self._left[address] = (left - passes, now)
        if len(self._left) > _MOST_ADDRESSES:
            self._left.popitem(last=False)
        return 0.0 if passes else (1 - left) / self._rate


class Gate:
    """The ASGI application around all others."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServerSettings,
        open_paths: Callable[[str], bool],
        told: Callable[[Scope, int, float], None],
    ) -> None:
        """Guard an application.

        Args:
            app: what is guarded.
            settings: of the server.
            open_paths: says of a path whether it needs no key: what says nothing of anybody.
            told: is told of each answer: its request, status and seconds.
        """
        self._app, self._open, self._told = app, open_paths, told
        self._keys = Keys(settings.keys)
        self._hosts = Hosts([settings.host, *settings.hosts])
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.origins)
        self._pace = None if settings.rate is None else Pace(settings.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer what is wrong with it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            problem = self._problem(scope)
            if problem is None:
                await self._app(scope, receive, answer)
            elif scope["type"] == "websocket":
                status = problem.status
                scope["problem"] = problem.reason
                await send({"type": "websocket.close", "code": 1008, "reason": problem.detail})
            else:
                scope["problem"] = problem.reason
                await problem.response()(scope, receive, answer)
        finally:
            self._told(scope, status, time.perf_counter() - start)

    def _problem(self, scope: Scope) -> ProblemError | None:
        return self._too_long(scope) or self._stranger(scope)

    def _too_long(self, scope: Scope) -> ProblemError | None:
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _MOST_ADDRESS:
            return ProblemError(414, f"the address is longer than {_MOST_ADDRESS:,} bytes", reason="size")
        if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > _MOST_HEADERS:
            return ProblemError(431, f"the headers are longer than {_MOST_HEADERS:,} bytes", reason="size")
        return None

    def _stranger(self, scope: Scope) -> ProblemError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self._hosts.known(host):
            return ProblemError(
                421, "this server is not known by that name: call it by its address, or allow the name by --allow-host",
                reason="host",
            )  # fmt: skip
        path, method = scope["path"], scope.get("method", "WEBSOCKET")
        if method not in {"GET", "HEAD", "OPTIONS"} and not self._same_origin(headers, host):
            return ProblemError(
                403, "pages of other origins may not call: allow yours by --allow-origin", reason="origin"
            )
        if method == "OPTIONS" or self._open(path):
            return None
        if not path.startswith(KEY_IN_BODY) and not self._keys.fit(key_of(headers)):
            ways = "send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'"
            challenge = {"WWW-Authenticate": 'Bearer, Basic realm="maskdet", charset="UTF-8"'}
            return ProblemError(401, f"no key, or a wrong one: {ways}", reason="key", headers=challenge)
        client = scope.get("client")
        wait = 0.0 if self._pace is None else self._pace.wait(client[0] if client else "")
        if wait > 0:
            seconds = {"Retry-After": str(int(wait) + 1)}
            return ProblemError(429, "too many requests from this address", reason="rate", headers=seconds)
        return None

    def _same_origin(self, headers: Headers, host: str) -> bool:
        """Whether no page of another origin sends this; programs send no origin."""
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
        return origin.lower() in self._origins or urlsplit(origin).netloc.lower() == host.lower()


def told_nobody(_scope: Scope, _status: int, _seconds: float) -> Any:
    """Count nothing."""
