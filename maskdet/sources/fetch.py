"""Asking a web server what it has, and fetching it where that is a picture."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

from maskdet.errors import SourceError
from maskdet.imaging import jpeg
from maskdet.imaging.first_bytes import HEAD_BYTES, Kind, kind_of
from maskdet.sources.address import without_login, without_password
from maskdet.sources.memory import MAX_BYTES
from maskdet.sources.transport import CHUNK, CodingError, Deadline, RedirectError, make_opener, undo_codings
from maskdet.sources.video import NETWORK_SECONDS

#: Seconds for the whole of it, header and redirects included; a single silence may last ``NETWORK_SECONDS``.
DOWNLOAD_SECONDS: Final = 120.0

#: Seconds after which JPEGs that still come, one behind another, are those of a live camera.
_LIVE_SECONDS: Final = 5.0

#: Lists that name lists, one below another.
_MOST_LISTS: Final = 2

#: Largest playlist; one of a day in pieces of two seconds has 5 MB.
_PLAYLIST_BYTES: Final = 16 * 2**20

#: Content types of pages and data: neither a picture nor a stream.
_PAGES: Final = ("text/", "application/json", "application/xml", "application/xhtml", "application/pdf")

_VARIANT: Final = re.compile(r"^#EXT-X-STREAM-INF[^\n]*\n+([^#\s][^\r\n]*)", re.MULTILINE)


class Fetched(NamedTuple):
    """What is at an address.

    Attributes:
        what: ``encoded``, a picture or a recording of JPEGs; ``video``, which has an end; ``stream``, which has none;
            ``playlist``, which is neither yet and never returned by ``fetch``.
        data: of what is encoded its bytes; of a video that was asked for whole likewise.
        has_length: the server says how long it is.
    """

    what: Literal["encoded", "video", "stream", "playlist"]
    data: bytes = b""
    has_length: bool = False


def fetch(url: str, *, whole: bool = False) -> Fetched:
    """Ask the server what is there, and fetch it where it is a picture; with ``whole`` a video too.

    Raises:
        SourceError: the server cannot be reached or refuses, has neither a picture nor a stream, or breaks off.
    """
    name = without_password(url)
    with Deadline(DOWNLOAD_SECONDS) as deadline:
        late = SourceError(name, f"not fetched within {DOWNLOAD_SECONDS:.0f} s")
        try:
            found = _ask(url, deadline, whole=whole)
        except SourceError:
            if deadline.expired:  # whatever else it looked like
                raise late from None
            raise
        except (OSError, ValueError, http.client.HTTPException) as error:
            if deadline.expired:
                raise late from error
            if isinstance(error, http.client.BadStatusLine) and str(error).lstrip("'\"").startswith("ICY"):
                return Fetched("stream")  # the HTTP of some cameras and radios, which FFmpeg knows
            raise SourceError(name, _reason(error)) from error
        if deadline.expired:
            raise late
        return found


def _ask(url: str, deadline: Deadline, *, whole: bool, lists: int = 0) -> Fetched:
    name = without_password(url)
    with make_opener(deadline, *_passwords(url)).open(_request(url), timeout=NETWORK_SECONDS) as answer:
        content = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if content == "multipart/x-mixed-replace":
            return Fetched("stream")
        length = answer.headers.get("Content-Length", "")
        body = _Body(answer, name, int(length) if length.isascii() and length.isdigit() else None)
        found = _told(body, content, whole=whole)
        here = answer.geturl()
    if found.what != "playlist":
        return found
    text = found.data.decode("utf-8", "replace")
    variant = _VARIANT.search(text)
    if variant is not None and lists < _MOST_LISTS:  # a list of lists: they all end, or none does
        target = urljoin(here, variant[1].strip())
        if urlsplit(target).scheme in {"http", "https"}:
            return _ask(target, deadline, whole=False, lists=lists + 1)
    ends = "#EXT-X-ENDLIST" in text or re.search(r"<MPD[^>]*type=[\"']static", text) is not None
    return Fetched("video", has_length=True) if ends else Fetched("stream")


def _told(body: _Body, content: str, *, whole: bool) -> Fetched:
    """Tell by its first bytes, and only then by its content type, what an answer is."""
    kind = kind_of(body.head())
    has_length = body.length is not None
    raw = kind.name == "unknown data" and bool(body.head())
    if kind.family == "picture" or (kind.family == "frames" and has_length) or (raw and content.startswith("image/")):
        return body.picture(kind)
    if kind.family == "playlist":
        return Fetched("playlist", body.rest(_PLAYLIST_BYTES))
    if kind.family == "video" and (kind.has_end or has_length):
        return Fetched("video", body.rest(MAX_BYTES) if whole else b"", has_length)
    # Raw data of a camera, which FFmpeg may know.
    if kind.family in {"video", "frames"} or (raw and not has_length and content.startswith("video/")):
        return Fetched("stream")
    if not body.head():
        raise SourceError(body.name, "the server sends nothing")
    what = content if content.startswith(_PAGES) else kind.name
    raise SourceError(body.name, f"neither a picture nor a stream (the server sends {what})")


class _Body:
    """An answer's body, its codings undone, read within the limits."""

    def __init__(self, answer: http.client.HTTPResponse, name: str, length: int | None) -> None:
        self._answer, self.name, self.length = answer, name, length
        self._too_large = SourceError(name, f"larger than {MAX_BYTES // 2**20} MB; fetch it yourself and give its path")
        self._data = bytearray()
        self._begun = time.monotonic()
        self._parts = undo_codings(self._coded(), ",".join(answer.headers.get_all("Content-Encoding") or []))

    def _coded(self) -> Iterator[bytes]:
        came = 0
        while part := self._answer.read1(CHUNK):
            came += len(part)
            yield part
        if self.length is not None and came < self.length:
            raise SourceError(self.name, f"cut short: {came:,} of {self.length:,} bytes came")

    def head(self) -> bytes:
        """Return the first bytes, as far as there are so many."""
        while len(self._data) < HEAD_BYTES and (part := next(self._parts, b"")):
            self._data += part
        return bytes(self._data[:HEAD_BYTES])

    def rest(self, limit: int) -> bytes:
        """Return all of it."""
        if (self.length or 0) > limit:
            raise self._too_large
        for part in self._parts:
            self._data += part
            if len(self._data) > limit:
                raise self._too_large
        return bytes(self._data)

    def picture(self, kind: Kind) -> Fetched:
        """Return a picture, or a stream where JPEGs come one behind another and do not end."""
        if (self.length or 0) > MAX_BYTES:
            raise self._too_large
        looked_at = self._begun
        for part in self._parts:
            self._data += part
            now = time.monotonic()
            if kind.name == "JPEG" and self.length is None and now - looked_at > _LIVE_SECONDS:
                looked_at = now
                if jpeg.is_recording(bytes(self._data)):
                    return Fetched("stream")
            if len(self._data) > MAX_BYTES:
                if kind.name == "JPEG" and self.length is None and jpeg.is_recording(bytes(self._data[: 1 << 25])):
                    return Fetched("stream")
                raise self._too_large
        return Fetched("encoded", bytes(self._data))


def _request(url: str) -> urllib.request.Request:
    # People paste addresses with spaces and umlauts in them.
    plain = quote(without_login(url), safe="/:?#[]@!$&'()*+,;=%~")
    headers = {
        "User-Agent": "maskdet",
        "Accept": "image/*,video/*,*/*;q=0.5",
        "Accept-Encoding": "identity",
    }
    return urllib.request.Request(plain, headers=headers)


def _passwords(url: str) -> tuple[urllib.request.BaseHandler, ...]:
    """Return what knows the user and password of the address, where it names them."""
    parts = urlsplit(url)
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        passwords.add_password(None, without_login(url), unquote(parts.username), unquote(parts.password or ""))
    return urllib.request.HTTPBasicAuthHandler(passwords), urllib.request.HTTPDigestAuthHandler(passwords)


def _reason(error: Exception) -> str:
    """Return in one line why there is no answer."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, RedirectError):
        return str(error.reason)
    if isinstance(error, urllib.error.URLError):
        return f"cannot be reached ({_plain(error.reason)})"
    if isinstance(error, http.client.IncompleteRead):
        return "cut short: the connection ended within the answer"
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return f"the server's answer is no HTTP that can be read ({type(error).__name__})"
    return str(error) if isinstance(error, CodingError) else f"cannot be read ({_plain(error)})"


def _plain(reason: object) -> str:
    """Return why a connection failed, in one line and without Python's error number."""
    return " ".join(str(getattr(reason, "strerror", None) or reason).split())
