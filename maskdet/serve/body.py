"""Bodies of requests: counted while they are read, given a time, kept in memory, and taken apart."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import Request

from maskdet.errors import SourceError
from maskdet.imaging.decode import TooLargeError, decode_bytes
from maskdet.imaging.header import DamagedHeaderError, read_picture_header
from maskdet.results import ImageInfo
from maskdet.serve.options import Look, check_work
from maskdet.serve.problems import ProblemError, busy
from maskdet.serve.settings import REQUEST_SECONDS
from maskdet.sources.picture import Picture

#: Parts of a form that are read.
MOST_PARTS: Final = 64

#: Members of JSON that are read: it is parsed at one go, while nobody else is served.
_MOST_MEMBERS: Final = 50_000

#: Bodies of the largest size that may be in memory at once, all requests together.
_BODIES: Final = 16

_HINT: Final = "send a picture as image/*, as multipart/form-data with a field 'file', or JSON with a member 'image'"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body.

    Attributes:
        name: of its field.
        data: its bytes.
        filename: as the sender calls the file, without folders; None for a value.
    """

    name: str
    data: bytes
    filename: str | None = None


class BodyReader:
    """Reads bodies within the limits of one server."""

    def __init__(self, most: int) -> None:
        """Take bodies of up to ``most`` bytes."""
        self.most = most
        self._held = 0

    @contextmanager
    def reading(self) -> Iterator[bytearray]:
        """Give room for a body that is counted until its end."""
        body = bytearray()
        try:
            yield body
        finally:
            self._held -= len(body)

    async def read(self, request: Request, body: bytearray) -> None:
        """Read a body.

        Raises:
            ProblemError: it is larger than it may be, comes too slowly, or there is no room for it now.
        """
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise ProblemError(415, "compressed bodies are not read: send the picture as it is", reason="type")
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.most:
            raise self._too_large()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                async for chunk in request.stream():
                    if len(body) + len(chunk) > self.most:
                        raise self._too_large()
                    if self._held + len(chunk) > self.most * _BODIES:
                        raise busy(REQUEST_SECONDS, "too many bodies are being sent")
                    body += chunk
                    self._held += len(chunk)
        except TimeoutError:
            raise ProblemError(408, f"the body did not come within {REQUEST_SECONDS:g} s", reason="slow") from None
        if not body:
            raise ProblemError(400, f"the body is empty: {_HINT}", reason="picture")

    def _too_large(self) -> ProblemError:
        return ProblemError(413, f"the body is larger than the {self.most:,} bytes that are read", reason="body")


def take_pictures(content_type: str, body: bytes) -> list[Part]:
    """Return the pictures of a body, whichever way they were sent.

    Raises:
        ProblemError: there is none, or it is sent in none of these ways.
    """
    kind = media_type(content_type)
    if kind.startswith("image/") or kind in {"", "application/octet-stream"}:
        return [Part("", body, "-")]
    if kind == "multipart/form-data":
        parts = [part for part in take_parts(content_type, body) if part.filename is not None or part.name == "file"]
        if not parts:
            raise ProblemError(400, "the form has no file: send the picture in its field 'file'", reason="picture")
        return parts
    if kind == "application/json":
        return [Part("image", take_base64(take_json(body)))]
    raise ProblemError(415, f"{kind or 'no type'} is not read: {_HINT}", reason="type")


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, in small letters."""
    return content_type.partition(";")[0].strip().lower()


def take_json(body: bytes) -> Any:
    """Return what a body of JSON says.

    Raises:
        ProblemError: it is none.
    """
    if not body[:64].lstrip().startswith(b"{"):
        raise ProblemError(400, "the body is no JSON object", reason="picture")
    members = sum(map(body.count, (b"[", b"{", b",", b":")))
    if members > _MOST_MEMBERS or body.count(b"\\") > len(body) // 8 + _MOST_MEMBERS:
        raise ProblemError(413, f"the JSON has more than the {_MOST_MEMBERS:,} members that are read", reason="body")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ProblemError(400, "the body is not JSON", reason="picture") from None


def take_base64(value: Any) -> bytes:
    """Return the picture that a JSON object holds in ``image``.

    Raises:
        ProblemError: it holds none.
    """
    text = value.get("image") if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise ProblemError(400, "the JSON has no member 'image' with a picture in base64", reason="picture")
    if text.startswith(("http:", "https:", "file:", "ftp:")):
        raise ProblemError(
            400, "image: addresses are not fetched: send the picture itself, in base64", reason="picture"
        )
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(400, "image: not base64", reason="picture") from None


def take_parts(content_type: str, body: bytes) -> list[Part]:
    """Take a form apart, in memory.

    Raises:
        ProblemError: it is damaged, or has too many parts.
    """
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise ProblemError(400, "the form names no boundary", reason="picture")
    parts: list[Part] = []
    headers: dict[bytes, bytes] = {}
    name, value, data = bytearray(), bytearray(), bytearray()
    begun = 0

    def begin() -> None:
        nonlocal begun
        begun += 1
        headers.clear()
        data.clear()
        if len(parts) >= MOST_PARTS:
            raise ProblemError(413, f"the form has more than the {MOST_PARTS} parts that are read", reason="body")

    def end_header() -> None:
        headers[bytes(name).lower()] = bytes(value)
        name.clear()
        value.clear()

    def end() -> None:
        _, said = parse_options_header(headers.get(b"content-disposition"))
        file = said.get(b"filename")
        shown = None if file is None else file.decode(errors="replace").replace("\\", "/").rpartition("/")[2]
        parts.append(Part(said.get(b"name", b"").decode(errors="replace"), bytes(data), shown))

    def add(to: bytearray) -> Any:
        return lambda chunk, start, stop: to.extend(memoryview(chunk)[start:stop])

    parser = None
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": begin,
                "on_part_data": add(data),
                "on_part_end": end,
                "on_header_field": add(name),
                "on_header_value": add(value),
                "on_header_end": end_header,
            },
        )
        parser.write(body)
        parser.finalize()
        if len(parts) < begun:
            raise FormParserError
    except FormParserError:
        raise ProblemError(400, "the form is damaged or cut short", reason="picture") from None
    return parts


def decode(data: bytes, info: ImageInfo, look: Look, usual: int) -> Picture:
    """Decode a picture, once its header says that it is within the limits.

    Args:
        data: encoded.
        info: its name and frame; the size is put in.
        look: how it will be looked at.
        usual: the network's usual input, pixels.

    Raises:
        ProblemError: it is no picture, or too large, or too much work.
    """
    name = "" if info.path in {None, "-"} else str(info.path)
    try:
        header = read_picture_header(data)
        if header is not None and look.mode != "classify":
            check_work(look, header.size, usual)
        pixels = decode_bytes(data, name)
    except TooLargeError as error:
        raise ProblemError(413, str(error), reason="pixels") from None
    except SourceError as error:
        raise ProblemError(400, str(error), reason="picture") from None
    except DamagedHeaderError as error:
        raise ProblemError(400, f"{name}: {error}".removeprefix(": "), reason="picture") from None
    height, width = pixels.shape[:2]
    return Picture(pixels, ImageInfo(info.path, width, height, info.frame), Path("image.png"))
