"""A JPEG's header, read without decoding (ITU T.81, annex B)."""

from __future__ import annotations

from typing import NamedTuple


class JpegHeader(NamedTuple):
    """What stands before a JPEG's first scan.

    Attributes:
        frame: the frame header's marker, which tells the kind of compression; None where there is none.
        size: (width, height) in pixels as stored; None likewise.
        scan: where the first scan begins, in bytes; None where the header does not end.
    """

    frame: int | None
    size: tuple[int, int] | None
    scan: int | None


def read_header(data: bytes) -> JpegHeader:
    """Go through the header of a JPEG, which begins with its start marker."""
    at, frame, size = 2, None, None
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xDA:
            return JpegHeader(frame, size, at)
        if marker == 0xFF:  # padding
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a length
            at += 2
        else:
            # Frame headers of all coding processes, without DHT, JPG and DAC, whose numbers lie between theirs.
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
                frame = marker
                if at + 9 <= len(data):
                    size = int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return JpegHeader(frame, size, None)
