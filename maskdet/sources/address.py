"""Web addresses as they may be shown, sent and made into file names."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit


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
