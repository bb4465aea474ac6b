"""What a server is started with."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from maskdet.errors import MaskdetError

#: Headers and a body must have come after so many seconds, and a stopped server gives running requests as long.
REQUEST_SECONDS: Final = 10.0

#: Bytes of a request's body.
MAX_BODY: Final = 20_000_000

#: Other servers' interfaces that can be spoken too.
DIALECTS: Final = ("deepstack", "compreface", "label-studio")

_UNITS: Final = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_PERIODS: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Everything of ``maskdet serve`` but the model and the cameras.

    Attributes:
        host: address that is bound.
        port: 0 for any that is free.
        keys: one of these must come with a request; none asked for where there are none.
        origins: pages of these origins may call, as ``https://example.org``.
        hosts: names by which the server is called, beside the machine's own.
        max_body: bytes of a request's body.
        rate: requests a second from one address, None for no limit.
        metrics: answer ``/metrics``.
        page: answer ``/``.
        dialects: other servers' interfaces that are spoken too.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    keys: tuple[str, ...] = field(default=(), repr=False)
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    max_body: int = MAX_BODY
    rate: float | None = None
    metrics: bool = False
    page: bool = True
    dialects: tuple[str, ...] = ()


def check_exposure(settings: ServerSettings, *, insecure: bool) -> None:
    """Refuse to be reached from other machines without a key.

    Raises:
        MaskdetError: it would be.
    """
    if not (settings.keys or insecure or is_loopback(settings.host)):
        raise MaskdetError(
            f"--host {settings.host} lets other machines in: give a key (--api-key-file FILE or MASKDET_API_KEY), "
            "or --insecure to do without"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "192.168.1.5", "")]
    [True, True, True, False, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def parse_size(text: str) -> int:
    """Return bytes.

    Raises:
        ValueError: it is no size.

    >>> parse_size("20MB"), parse_size("512 kB"), parse_size("1000")
    (20000000, 512000, 1000)
    """
    found = re.fullmatch(r"(\d{1,9})\s*([kmg]?b)?", text.strip().lower())
    if found is None or not int(found[1]):
        raise ValueError(f"{text!r} is no size: write 20MB, 512kB or bytes")
    return int(found[1]) * _UNITS[found[2] if found[2] not in {None, "b"} else ""]


def parse_rate(text: str) -> float:
    """Return requests a second.

    Raises:
        ValueError: it is no rate.

    >>> parse_rate("20/s"), parse_rate("30/min")
    (20.0, 0.5)
    """
    found = re.fullmatch(r"(\d{1,6})\s*(?:/\s*(s|min|m|h))?", text.strip().lower())
    if found is None or not int(found[1]):
        raise ValueError(f"{text!r} is no rate: write 20/s, 300/min or 1000/h")
    return int(found[1]) / _PERIODS[found[2] or "s"]


def parse_stream(text: str) -> tuple[str, int | str]:
    """Return the name and the source of ``NAME=SOURCE``.

    Raises:
        ValueError: it is not of that form.

    >>> parse_stream("door=rtsp://10.0.0.7/live?a=1"), parse_stream("desk=0")
    (('door', 'rtsp://10.0.0.7/live?a=1'), ('desk', 0))
    """
    name, _, source = text.partition("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) or not source:
        raise ValueError(f"{text!r}: write NAME=SOURCE, such as door=rtsp://camera/1, the name in letters and digits")
    return name, int(source) if source.isascii() and source.isdigit() and len(source) < 4 else source


def parse_dialects(text: str) -> tuple[str, ...]:
    """Return the dialects of a list with commas.

    Raises:
        ValueError: one is unknown.

    >>> parse_dialects("deepstack, label-studio")
    ('deepstack', 'label-studio')
    """
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if unknown := [name for name in names if name not in DIALECTS]:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(DIALECTS)}")
    return names
