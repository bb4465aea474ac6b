"""Asking a web server what it has, and fetching it where that is a picture."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, unquote, urlsplit

from maskdet.decode import IMAGE_SUFFIXES
from maskdet.errors import SourceError
from maskdet.sources.address import without_login, without_password
from maskdet.sources.capture import NETWORK_SECONDS
from maskdet.sources.memory import MAX_BYTES
from maskdet.sources.video import VIDEO_SUFFIXES

#: Seconds that a whole picture may take; a single silence may last ``NETWORK_SECONDS``.
DOWNLOAD_SECONDS: Final = 120.0

_CHUNK: Final = 1 << 16

#: Content types that say nothing about the content.
_VAGUE: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-download"})

#: Content types of pages and data: neither a picture nor a stream.
_PAGES: Final = ("text/", "application/json", "application/xml", "application/xhtml", "application/pdf")


def fetch(url: str) -> tuple[Literal["picture", "video", "stream"], bytes]:
    """Ask the server what is there, and fetch it where it is a picture.

    Args:
        url: ``http://`` or ``https://``, with user and password where the server wants them.

    Returns:
        What it is, and a picture's bytes.

    Raises:
        SourceError: the server cannot be reached or refuses, or has neither a picture nor a stream.
    """
    name = without_password(url)
    try:
        with _opener(url).open(_request(url), timeout=NETWORK_SECONDS) as answer:
            content = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            suffix = Path(urlsplit(url).path).suffix.lower()
            length = answer.headers.get("Content-Length", "")
            if content.startswith(_PAGES) and not content.endswith(("mpegurl", "dash+xml")):
                raise SourceError(name, f"neither a picture nor a stream (the server sends {content})")
            if content.startswith("image/") or (content in _VAGUE and suffix in IMAGE_SUFFIXES):
                return "picture", _download(answer, name, int(length) if length.isdigit() else 0)
            known = content.startswith("video/") or suffix in VIDEO_SUFFIXES
            # Only what has an end has a length.
            return ("video" if known and length else "stream"), b""
    except urllib.error.HTTPError as error:
        error.close()
        raise SourceError(name, f"the server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise SourceError(name, f"cannot be reached ({_plain(error.reason)})") from error
    except http.client.HTTPException:
        return "stream", b""  # some cameras speak an HTTP of their own, which FFmpeg may know
    except (OSError, ValueError) as error:
        raise SourceError(name, f"cannot be read ({_plain(error)})") from error


def _request(url: str) -> urllib.request.Request:
    # People paste addresses with spaces and umlauts in them.
    plain = quote(without_login(url), safe="/:?#[]@!$&'()*+,;=%~")
    return urllib.request.Request(plain, headers={"User-Agent": "maskdet", "Accept": "image/*,video/*,*/*;q=0.5"})


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return an opener that knows the user and password of the address, where it names them."""
    parts = urlsplit(url)
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        passwords.add_password(None, without_login(url), unquote(parts.username), unquote(parts.password or ""))
    return urllib.request.build_opener(
        urllib.request.HTTPBasicAuthHandler(passwords), urllib.request.HTTPDigestAuthHandler(passwords)
    )


def _download(answer: http.client.HTTPResponse, name: str, length: int) -> bytes:
    """Read an answer whole, within the limits of size and time."""
    too_large = SourceError(name, f"larger than {MAX_BYTES // 2**20} MB; fetch it yourself and give its path")
    if length > MAX_BYTES:
        raise too_large
    end = time.monotonic() + DOWNLOAD_SECONDS
    data = bytearray()
    while chunk := answer.read1(_CHUNK):
        data += chunk
        if len(data) > MAX_BYTES:
            raise too_large
        if time.monotonic() > end:
            raise SourceError(name, f"not fetched within {DOWNLOAD_SECONDS:.0f} s")
    return bytes(data)


def _plain(reason: object) -> str:
    """Return why a connection failed, without Python's error number."""
    return str(getattr(reason, "strerror", None) or reason)
