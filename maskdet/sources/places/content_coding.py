"""Undoing what a web server did to a body on its way (RFC 9110, 8.4): gzip and deflate, within a limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

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

    Args:
        parts: the body as it comes.
        header: the ``Content-Encoding`` header, empty where there is none.

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
