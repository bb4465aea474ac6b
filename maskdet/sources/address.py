"""Web addresses as they may be shown, sent and made into file names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from maskdet.errors import SourceError

#: Kinds of addresses that are read, by us or by FFmpeg; it knows others, which name files or other addresses.
SCHEMES: Final = frozenset(
    {"ftp", "http", "https", "mms", "mmsh", "mmst", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtmpts", "rtp"}
    | {"rtsp", "rtsps", "rtspu", "sftp", "srt", "tcp", "udp"}
)

_HERE: Final = frozenset({"", "localhost", "127.0.0.1", "[::1]"})


def local_path(url: str) -> str | None:
    """Return the file that a ``file:`` address names, None for any other address.

    Raises:
        SourceError: it names a file of another machine.

    >>> local_path("file://localhost/tmp/a%20b.jpg")
    '/tmp/a b.jpg'
    """
    if url[:5].lower() != "file:" or _exists(url):
        return None
    from urllib.request import url2pathname

    parts = urlsplit(url)
    if parts.netloc.lower() not in _HERE:
        raise SourceError(url, "names a file of another machine: fetch it, and give its path")
    # In a file's name these may stand as they are.
    whole = url[5:] if not url[5:].startswith("//") else "/" + url[7:].partition("/")[2]
    return next((path for path in map(url2pathname, (whole, parts.path)) if _exists(path)), url2pathname(parts.path))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def without_password(url: str) -> str:
    """Return a URL as it may be shown and written.

    >>> without_password("rtsp://guard:secret@10.0.0.7:554/live?channel=1")
    'rtsp://guard:***@10.0.0.7:554/live?channel=1'
    """
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=f"{parts.username}:***@{parts.netloc.rpartition('@')[2]}").geturl()


def without_login(url: str) -> str:
    """Return a URL without user and password.

    >>> without_login("http://guard:secret@10.0.0.7/a.jpg")
    'http://10.0.0.7/a.jpg'
    """
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def file_name(url: str, *, whole: bool = False) -> str:
    """Return a name for a file made from a URL: the last part of its path, or with ``whole`` host and path.

    >>> file_name("https://example.org/a%20b/gate.jpg?size=2")
    'gate.jpg'
    >>> file_name("rtsp://guard:secret@10.0.0.7:554/live/1", whole=True)
    '10.0.0.7-554-live-1'
    """
    parts = urlsplit(without_login(url))
    path = unquote(parts.path)
    last = re.sub(r"[^\w.-]+", "-", path.rpartition("/")[2]).strip("-.")
    if last and not whole:
        return last
    return re.sub(r"[^\w.-]+", "-", f"{parts.netloc}{path}").strip("-.") or "stream"
